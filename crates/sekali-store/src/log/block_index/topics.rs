//! The topics of a log file: how many events each has, and which extents hold them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::packed_topics::{PackedTopics, PackedTopicsBuilder};
use crate::error::Result;
use crate::invariant::invariant;
use crate::tally::Tally;

/// A topic's share of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TopicExtents {
    pub(crate) tally: Tally,
    /// Numbers of the extents that hold it, ascending.
    pub(crate) extents: Vec<u32>,
}

/// The topics of a log file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileTopics {
    /// Of the file that is written to.
    Growing(HashMap<Box<str>, TopicExtents>),
    /// Of a closed one.
    Settled(PackedTopics),
}

impl Default for FileTopics {
    fn default() -> Self {
        Self::Growing(HashMap::new())
    }
}

impl FileTopics {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Growing(topics) => topics.len(),
            Self::Settled(packed) => packed.len(),
        }
    }

    /// The counts of a topic.
    pub(crate) fn tally(&self, topic: &str) -> Option<Tally> {
        match self {
            Self::Growing(topics) => topics.get(topic).map(|share| share.tally),
            Self::Settled(packed) => packed.row(topic).map(|row| row.tally),
        }
    }

    /// Numbers of the extents that hold a topic, ascending.
    pub(crate) fn extents(&self, topic: &str) -> Option<Cow<'_, [u32]>> {
        match self {
            Self::Growing(topics) => topics.get(topic).map(|share| Cow::Borrowed(&share.extents[..])),
            Self::Settled(packed) => packed.row(topic).map(|row| Cow::Owned(row.extents().collect())),
        }
    }

    /// How many there are that would take less memory if they were [settled](FileTopics::settled).
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
            Self::Settled(packed) => {
                let mut extents = Vec::new();
                for row in packed.rows() {
                    extents.clear();
                    extents.extend(row.extents());
                    visit(row.topic, &row.tally, &extents);
                }
            }
        }
    }

    /// Takes in what a frame adds. Only files that grow are written to.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where this is a closed one.
    pub(super) fn grow(&mut self, added: HashMap<&str, TopicExtents>) -> Result<()> {
        let Self::Growing(topics) = self else { invariant!("a closed log file has grown") };
        for (topic, added) in added {
            if !topics.contains_key(topic) {
                topics.insert(topic.into(), TopicExtents::default());
            }
            if let Some(share) = topics.get_mut(topic) {
                share.tally.add(&added.tally);
                let known = usize::from(share.extents.last().is_some_and(|last| added.extents.first() == Some(last)));
                share.extents.extend(added.extents.iter().skip(known));
            }
        }
        Ok(())
    }

    /// The same, in less memory, for a file that grows no more. `None` where it is that already, or
    /// would take more than 4 GiB.
    pub(crate) fn settled(&self) -> Option<Self> {
        let Self::Growing(topics) = self else { return None };
        let mut packed = PackedTopicsBuilder::default();
        for (topic, TopicExtents { tally, extents }) in topics {
            packed.push(topic, tally, extents)?;
        }
        Some(Self::Settled(packed.finish()))
    }
}
