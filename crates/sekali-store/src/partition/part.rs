//! What a partition is made of, from a reader's view: segments, then log files, each with a range of seqs.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::found::Found;
use super::shared::Shared;
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::event::StoredEvent;
use crate::log::file::LogFile;
use crate::log::outline::{ExtentSpan, Outline, Tally};
use crate::order::Order;
use crate::segment::{Decoded, RowGroup, Segment, Topics, Wanted};

/// A file with events.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Segment(Arc<Segment>),
    Log(Arc<LogFile>),
}

/// Seqs of a part that are read together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) first_seq: u64,
    /// The first seq behind it.
    pub(super) end_seq: u64,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Extent(ExtentSpan),
    RowGroup(usize),
}

/// What is still to be read: seqs from `from`, up to but not including `to`.
#[derive(Debug, Clone)]
pub(super) struct Need<'a> {
    pub(super) topics: Topics<'a>,
    /// A hint, heeded by segments.
    pub(super) timestamps_ns: RangeInclusive<i64>,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) order: Order,
}

impl Need<'_> {
    /// All events from `seq` on.
    pub(super) fn everything_from(seq: u64) -> Self {
        let timestamps_ns = i64::MIN..=i64::MAX;
        Self { topics: Topics::All, timestamps_ns, from: seq, to: u64::MAX, order: Order::Ascending }
    }
}

impl Part {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Segment(segment) => &segment.info().path,
            Self::Log(file) => &file.path,
        }
    }

    /// The first seq behind it.
    pub(super) fn end_seq(&self) -> u64 {
        match self {
            Self::Segment(segment) => segment.info().last_seq + 1,
            Self::Log(file) => file.outline().end_seq,
        }
    }

    pub(super) fn first_seq(&self) -> u64 {
        match self {
            Self::Segment(segment) => segment.info().first_seq,
            Self::Log(file) => file.first_seq,
        }
    }

    /// Whether this is the same file.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Segment(one), Self::Segment(other)) => Arc::ptr_eq(one, other),
            (Self::Log(one), Self::Log(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Checks every byte of a piece, and answers how many there are. What is damaged is reported.
    pub(super) fn check(&self, piece: &Piece, shared: &Shared) -> Result<u64> {
        match (self, piece.place) {
            (Self::Segment(segment), Place::RowGroup(number)) => match segment.verify_group(number) {
                Err(Error::Damaged { path, .. }) => {
                    shared.lose(Damage { path, offset: 0, first_seq: piece.first_seq, last_seq: piece.end_seq - 1 });
                    Ok(0)
                }
                checked => checked,
            },
            (Self::Log(file), Place::Extent(span)) => {
                file.read_extent(span, &shared.damage, |_, _, _| {})?;
                Ok(span.end - span.offset)
            }
            _ => Ok(0),
        }
    }

    /// Hands each topic with its counts to `visit`.
    pub(super) fn tallies(&self, mut visit: impl FnMut(&str, &Tally)) {
        match self {
            Self::Segment(segment) => segment.tallies().for_each(|(topic, tally)| visit(topic, &tally)),
            Self::Log(file) => file.outline().topics.visit(|topic, tally, _| visit(topic, tally)),
        }
    }

    /// The least and the greatest timestamp of a topic in it.
    pub(super) fn timestamps_ns(&self, topic: &str) -> Option<(i64, i64)> {
        let of = |tally: Tally| (tally.first_timestamp_ns, tally.last_timestamp_ns);
        match self {
            Self::Segment(segment) => segment.tally(topic).map(of),
            Self::Log(file) => file.outline().topics.tally(topic).map(of),
        }
    }

    /// The next piece, in the order of `need`, that may hold something of it.
    pub(super) fn next_piece(&self, need: &Need<'_>) -> Option<Piece> {
        match self {
            Self::Segment(segment) => next_row_group(segment, need),
            Self::Log(file) => {
                let span = next_extent(&file.outline(), need)?;
                Some(Piece { first_seq: span.first_seq, end_seq: span.end_seq, place: Place::Extent(span) })
            }
        }
    }

    /// Reads what is needed of a piece, in the order of `need`; at most `limit` events of a segment. Answers the last seq if that cut
    /// it short. What is damaged is reported and left out.
    pub(super) fn read(
        &self,
        piece: &Piece,
        need: &Need<'_>,
        limit: usize,
        shared: &Shared,
    ) -> Result<(Found, Option<u64>)> {
        match (self, piece.place) {
            (Self::Segment(segment), Place::RowGroup(number)) => {
                let wanted = Wanted {
                    topics: need.topics,
                    seqs: need.from..need.to,
                    timestamps_ns: need.timestamps_ns.clone(),
                    limit,
                    order: need.order,
                };
                let decoded = read_row_group(segment, number, &wanted, shared)?;
                let cut = decoded.last_seq().filter(|_| decoded.len() == limit);
                Ok((decoded.into(), cut))
            }
            (Self::Log(file), Place::Extent(span)) => {
                let mut events = Vec::new();
                file.read_extent(span, &shared.damage, |seq, received_at_ns, event| {
                    if (need.from..need.to).contains(&seq) && need.topics.include(event.topic) {
                        events.push(StoredEvent::new(seq, received_at_ns, &event));
                    }
                })?;
                if need.order == Order::Descending {
                    events.reverse();
                }
                Ok((Found::Rows(events.into_iter()), None))
            }
            _ => Ok((Found::default(), None)),
        }
    }
}

/// A row group of which anything is damaged counts as lost as a whole: its events are published again, and what is
/// still readable of it must not then appear beside them.
fn read_row_group(segment: &Segment, number: usize, wanted: &Wanted<'_>, shared: &Shared) -> Result<Decoded> {
    let nothing = Ok(Decoded::default());
    let Some(&RowGroup { first_seq, last_seq, .. }) = segment.row_groups().get(number) else { return nothing };
    if shared.damage.covers(first_seq) && shared.damage.covers(last_seq) {
        return nothing;
    }
    match segment.decode(number, wanted) {
        Err(Error::Damaged { path, .. }) => {
            shared.lose(Damage { path, offset: 0, first_seq, last_seq });
            nothing
        }
        decoded => decoded,
    }
}

fn next_row_group(segment: &Segment, need: &Need<'_>) -> Option<Piece> {
    let groups = segment.row_groups();
    let piece = |number: usize| {
        let group = groups.get(number)?;
        let holds = !matches!(need.topics, Topics::One(topic) if !segment.has_topic(number, topic));
        let wanted = holds && group.first_seq < need.to && group.last_seq >= need.from;
        let (first_seq, end_seq) = (group.first_seq, group.last_seq + 1);
        wanted.then_some(Piece { first_seq, end_seq, place: Place::RowGroup(number) })
    };
    match need.order {
        Order::Ascending => (groups.partition_point(|group| group.last_seq < need.from)..groups.len()).find_map(piece),
        Order::Descending => (0..groups.partition_point(|group| group.first_seq < need.to)).rev().find_map(piece),
    }
}

fn next_extent(outline: &Outline, need: &Need<'_>) -> Option<ExtentSpan> {
    let wanted = |number: u32| {
        let span = outline.extent(number)?;
        (span.first_seq < need.to && span.end_seq > need.from).then_some(span)
    };
    let known;
    let numbers = match need.topics {
        Topics::One(topic) => {
            known = outline.topics.extents(topic)?;
            Numbers::Some(&known)
        }
        Topics::All | Topics::Unreserved => Numbers::All(outline.extents.len()),
    };
    let first_seq = |number: u32| outline.extent(number).map_or(u64::MAX, |span| span.first_seq);
    match need.order {
        // The extent before may reach into what is wanted.
        Order::Ascending => {
            let after = numbers.partition_point(|number| first_seq(number) <= need.from);
            (after.saturating_sub(1)..numbers.len()).find_map(|at| wanted(numbers.get(at)?))
        }
        Order::Descending => {
            let after = numbers.partition_point(|number| first_seq(number) < need.to);
            wanted(numbers.get(after.checked_sub(1)?)?)
        }
    }
}

/// Ascending numbers of extents.
#[derive(Clone, Copy)]
enum Numbers<'a> {
    All(usize),
    Some(&'a [u32]),
}

impl Numbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::All(len) => len,
            Self::Some(numbers) => numbers.len(),
        }
    }

    fn get(self, at: usize) -> Option<u32> {
        match self {
            Self::All(len) => (at < len).then_some(at as u32),
            Self::Some(numbers) => numbers.get(at).copied(),
        }
    }

    /// How many of them, at the front, have `wanted`.
    fn partition_point(self, wanted: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&wanted) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
