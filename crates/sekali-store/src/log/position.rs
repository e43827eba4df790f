//! A place between two frames of the log.

use super::frame::Frame;
use crate::counters::Counters;

/// Where the log stands after a frame: everything that the next one continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPosition {
    pub(crate) next_seq: u64,
    pub(crate) next_commit: u64,
    /// Checksum of the last frame's header; 0 before the first.
    pub(crate) previous: u64,
    /// Every commit up to this number is known to be durable.
    pub(crate) durable_commit: u64,
    pub(crate) totals: Counters,
    /// Time of the last commit.
    pub(crate) received_at_ns: i64,
    /// The last upstream position.
    pub(crate) upstream: Option<u64>,
}

impl Default for LogPosition {
    fn default() -> Self {
        Self {
            next_seq: 1,
            next_commit: 1,
            previous: 0,
            durable_commit: 0,
            totals: Counters::default(),
            received_at_ns: i64::MIN,
            upstream: None,
        }
    }
}

impl LogPosition {
    /// Moves behind `frame`.
    pub(crate) fn pass(&mut self, frame: &Frame<'_>) {
        let header = &frame.header;
        self.next_seq = frame.end_seq();
        self.next_commit = header.commit + 1;
        self.previous = frame.checksum;
        self.durable_commit = self.durable_commit.max(header.durable_commit);
        self.totals = header.totals;
        self.received_at_ns = header.received_at_ns;
        self.upstream = header.upstream.or(self.upstream);
    }

    /// Moves to `durable`, which is known to have been reached.
    pub(crate) fn catch_up(&mut self, durable: &Self) {
        *self = Self {
            next_seq: self.next_seq.max(durable.next_seq),
            upstream: durable.upstream.or(self.upstream),
            ..*durable
        };
    }

    /// Whether `frame` belongs directly behind this position.
    pub(crate) fn continued_by(&self, frame: &Frame<'_>) -> bool {
        let header = &frame.header;
        (header.commit, header.first_seq, header.previous) == (self.next_commit, self.next_seq, self.previous)
    }

    /// Whether `frame` belongs behind this position, though not directly.
    pub(super) fn precedes(&self, frame: &Frame<'_>) -> bool {
        frame.header.commit >= self.next_commit && frame.header.first_seq >= self.next_seq
    }
}
