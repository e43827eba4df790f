//! The files that hold the events of a partition: segments, then log files, each with a range of
//! seqs.

use std::path::Path;
use std::sync::Arc;

use crate::log::file::LogFile;
use crate::segment::Segment;
use crate::tally::Tally;

/// A file with events.
#[derive(Debug, Clone)]
pub(super) enum DataFile {
    Segment(Arc<Segment>),
    Log(Arc<LogFile>),
}

impl DataFile {
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
            Self::Log(file) => file.block_index().end_seq,
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

    /// Hands each topic with its counts to `visit`.
    pub(super) fn tallies(&self, mut visit: impl FnMut(&str, &Tally)) {
        match self {
            Self::Segment(segment) => segment.tallies().for_each(|(topic, tally)| visit(topic, &tally)),
            Self::Log(file) => file.block_index().topics.visit(|topic, tally, _| visit(topic, tally)),
        }
    }

    /// The counts of a topic in it.
    pub(super) fn tally(&self, topic: &str) -> Option<Tally> {
        match self {
            Self::Segment(segment) => segment.tally(topic),
            Self::Log(file) => file.block_index().topics.tally(topic),
        }
    }

    /// The least and the greatest timestamp of a topic in it.
    pub(super) fn timestamps_ns(&self, topic: &str) -> Option<(i64, i64)> {
        self.tally(topic).map(|tally| (tally.first_timestamp_ns, tally.last_timestamp_ns))
    }
}
