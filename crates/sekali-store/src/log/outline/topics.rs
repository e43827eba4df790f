//! The topics of a log file: how many events each has, and which extents hold them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::roster::{Builder, Roster};
use crate::event::EventRef;
use crate::log::row;

/// Counts of a topic's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Bytes of its rows.
    pub(crate) bytes: u64,
    pub(crate) first_timestamp_ns: i64,
    pub(crate) last_timestamp_ns: i64,
}

impl Tally {
    const EMPTY: Self = Self { events: 0, bytes: 0, first_timestamp_ns: i64::MAX, last_timestamp_ns: i64::MIN };

    pub(super) fn of(event: &EventRef<'_>) -> Self {
        let texts = event.topic.len() + event.event_id.len() + event.source.len() + event.payload.len();
        Self {
            events: 1,
            bytes: (row::HEADER_BYTES + texts) as u64,
            first_timestamp_ns: event.timestamp_ns,
            last_timestamp_ns: event.timestamp_ns,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.first_timestamp_ns = self.first_timestamp_ns.min(other.first_timestamp_ns);
        self.last_timestamp_ns = self.last_timestamp_ns.max(other.last_timestamp_ns);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A topic's share of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) tally: Tally,
    /// Numbers of the extents that hold it, ascending.
    pub(crate) extents: Vec<u32>,
}

/// The topics of a log file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Topics {
    /// Of the file that is written to.
    Growing(HashMap<Box<str>, Share>),
    /// Of a closed one.
    Settled(Roster),
}

impl Default for Topics {
    fn default() -> Self {
        Self::Growing(HashMap::new())
    }
}

impl Topics {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Growing(topics) => topics.len(),
            Self::Settled(roster) => roster.len(),
        }
    }

    /// The counts of a topic.
    pub(crate) fn tally(&self, topic: &str) -> Option<Tally> {
        match self {
            Self::Growing(topics) => topics.get(topic).map(|share| share.tally),
            Self::Settled(roster) => roster.row(topic).map(|row| row.tally),
        }
    }

    /// Numbers of the extents that hold a topic, ascending.
    pub(crate) fn extents(&self, topic: &str) -> Option<Cow<'_, [u32]>> {
        match self {
            Self::Growing(topics) => topics.get(topic).map(|share| Cow::Borrowed(&share.extents[..])),
            Self::Settled(roster) => roster.row(topic).map(|row| Cow::Owned(row.extents().collect())),
        }
    }

    /// How many there are that would take less memory if they were [settled](Topics::settled).
    pub(crate) fn unsettled(&self) -> usize {
        match self {
            Self::Growing(topics) => topics.len(),
            Self::Settled(_) => 0,
        }
    }

    /// Hands each topic with its counts and its extents to `visit`.
    pub(crate) fn visit(&self, mut visit: impl FnMut(&str, &Tally, &[u32])) {
        match self {
            Self::Growing(topics) => {
                topics.iter().for_each(|(topic, share)| visit(topic, &share.tally, &share.extents));
            }
            Self::Settled(roster) => {
                let mut extents = Vec::new();
                for row in roster.rows() {
                    extents.clear();
                    extents.extend(row.extents());
                    visit(row.topic, &row.tally, &extents);
                }
            }
        }
    }

    /// Takes in what a frame adds. Only files that grow are written to.
    pub(super) fn grow(&mut self, added: HashMap<&str, Share>) {
        let Self::Growing(topics) = self else { return };
        for (topic, added) in added {
            if !topics.contains_key(topic) {
                topics.insert(topic.into(), Share::default());
            }
            if let Some(share) = topics.get_mut(topic) {
                share.tally.add(&added.tally);
                let known = usize::from(share.extents.last().is_some_and(|last| added.extents.first() == Some(last)));
                share.extents.extend(added.extents.iter().skip(known));
            }
        }
    }

    /// The same, in less memory, for a file that grows no more. `None` where it is that already, or would take more than 4 GiB.
    pub(crate) fn settled(&self) -> Option<Self> {
        let Self::Growing(topics) = self else { return None };
        let mut roster = Builder::default();
        for (topic, Share { tally, extents }) in topics {
            roster.push(topic, tally, extents)?;
        }
        Some(Self::Settled(roster.finish()))
    }
}
