//! A commit while it is being decided, and until the index knows it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::pending_keys::PendingKeys;
use crate::counters::Counters;
use crate::hash::{ContentDigest, EventHash};
use crate::index::Entry;
use crate::log::frame::{self, FrameBuilder};
use crate::salt::Salt;

/// The decided part of a commit. The memory is reused.
#[derive(Debug)]
pub(super) struct PendingCommit {
    /// The rows that it stores, as they will be on disk.
    pub(super) builder: FrameBuilder,
    /// The same to be found by fingerprint.
    pub(super) keys: PendingKeys,
    pub(super) counts: Counters,
    /// Digests of some of the rows, ascending by seq.
    digests: Vec<(u64, ContentDigest)>,
}

/// Lengths of a pending commit at some moment, to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitCheckpoint {
    rows: frame::FrameCheckpoint,
    keys: usize,
    counts: Counters,
    digests: usize,
}

impl PendingCommit {
    pub(super) fn new(salt: Salt) -> Self {
        let (keys, counts, digests) = (PendingKeys::default(), Counters::default(), Vec::new());
        Self { builder: FrameBuilder::new(salt), keys, counts, digests }
    }

    /// Begins a commit, dropping what was decided before.
    pub(super) fn begin(&mut self, first_seq: u64, received_at_ns: i64) {
        self.builder.begin(first_seq, received_at_ns);
        self.keys.clear();
        self.counts = Counters::default();
        self.digests = Vec::new();
    }

    /// Adds a row with its hashes, and its digest if that is known.
    pub(super) fn add(&mut self, hash: EventHash, row: &[u8], digest: Option<ContentDigest>) {
        let (seq, offset) = self.builder.push(row);
        self.keys.push(Entry { fingerprint: hash.fingerprint, seq, content: hash.content }, offset);
        self.digests.extend(digest.map(|digest| (seq, digest)));
    }

    /// The digest of the row with this seq, if it is known.
    pub(super) fn digest(&self, seq: u64) -> Option<ContentDigest> {
        let at = self.digests.binary_search_by_key(&seq, |(seq, _)| *seq).ok()?;
        self.digests.get(at).map(|(_, digest)| *digest)
    }

    pub(super) fn checkpoint(&self) -> CommitCheckpoint {
        let (rows, keys) = (self.builder.checkpoint(), self.keys.entries().len());
        CommitCheckpoint { rows, keys, counts: self.counts, digests: self.digests.len() }
    }

    /// Forgets what was decided since `checkpoint`.
    pub(super) fn roll_back(&mut self, checkpoint: CommitCheckpoint) {
        self.builder.roll_back(checkpoint.rows);
        self.keys.truncate(checkpoint.keys);
        self.counts = checkpoint.counts;
        self.digests.truncate(checkpoint.digests);
    }
}

/// A commit that is decided, while it is on its way to the disk.
#[derive(Debug)]
pub(super) struct InFlightCommit {
    pub(super) planned: PendingCommit,
    is_indexed: AtomicBool,
}

impl InFlightCommit {
    pub(super) fn new(planned: PendingCommit) -> Self {
        Self { planned, is_indexed: AtomicBool::new(false) }
    }

    /// Notes that the index knows its keys: whoever looks them up from now on finds them there.
    pub(super) fn mark_indexed(&self) {
        self.is_indexed.store(true, Ordering::Release);
    }

    /// Whether the index knows its keys.
    pub(super) fn is_indexed(&self) -> bool {
        self.is_indexed.load(Ordering::Acquire)
    }
}
