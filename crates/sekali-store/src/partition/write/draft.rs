//! A commit while it is being decided, and until the index knows it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::added::Added;
use crate::counters::Counters;
use crate::log::Salt;
use crate::log::frame::{self, Builder};

/// What has been decided of a commit. Its memory is used again.
#[derive(Debug)]
pub(super) struct Draft {
    /// The rows that it stores, as they will be on disk.
    pub(super) builder: Builder,
    /// The same to be found by fingerprint.
    pub(super) added: Added,
    pub(super) counts: Counters,
}

/// What a draft held at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checkpoint {
    rows: frame::Checkpoint,
    added: usize,
    counts: Counters,
}

impl Draft {
    pub(super) fn new(salt: Salt) -> Self {
        Self { builder: Builder::new(salt), added: Added::default(), counts: Counters::default() }
    }

    /// Begins a commit, dropping what was decided before.
    pub(super) fn begin(&mut self, first_seq: u64, received_at_ns: i64) {
        self.builder.begin(first_seq, received_at_ns);
        self.added.clear();
        self.counts = Counters::default();
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { rows: self.builder.checkpoint(), added: self.added.entries().len(), counts: self.counts }
    }

    /// Forgets what was decided since `checkpoint`.
    pub(super) fn roll_back(&mut self, checkpoint: Checkpoint) {
        self.builder.roll_back(checkpoint.rows);
        self.added.truncate(checkpoint.added);
        self.counts = checkpoint.counts;
    }
}

/// A commit that is decided, while it is on its way to the disk.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) draft: Draft,
    is_known: AtomicBool,
}

impl UnderWay {
    pub(super) fn new(draft: Draft) -> Self {
        Self { draft, is_known: AtomicBool::new(false) }
    }

    /// Notes that the index knows its keys: whoever looks them up from now on finds them there.
    pub(super) fn note_known(&self) {
        self.is_known.store(true, Ordering::Release);
    }

    /// Whether the index knows its keys.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }
}
