//! The half of a commit that needs no disk to write to: what becomes of its events.

use std::sync::Arc;

use super::decide::Decider;
use super::lookup_buffers::LookupBuffers;
use super::pending_commit::{InFlightCommit, PendingCommit};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::limits::FRAME_BODY_BYTES_MAX;
use crate::log::position::LogPosition;
use crate::log::writer::LogWriter;
use crate::partition::Decision;
use crate::partition::shared::Shared;
use crate::salt::Salt;

/// Decides commits, one after the other. The one before may still be on its way to the disk.
#[derive(Debug)]
pub(crate) struct CommitPlanner {
    salt: Salt,
    /// The commit that is being decided, from its first batch on.
    pending: PendingCommit,
    is_begun: bool,
    buffers: LookupBuffers,
    /// The commit before, if there was one.
    in_flight: Option<Arc<InFlightCommit>>,
    /// Behind the commit before.
    next_seq: u64,
}

impl CommitPlanner {
    /// Goes on at `position`, where the log ends.
    pub(crate) fn new(salt: Salt, position: &LogPosition) -> Self {
        Self {
            salt,
            pending: PendingCommit::new(salt),
            is_begun: false,
            buffers: LookupBuffers::default(),
            in_flight: None,
            next_seq: position.next_seq,
        }
    }

    /// Drops the commit that is being decided, if there is one.
    pub(super) fn begin(&mut self) {
        self.is_begun = false;
    }

    /// Whether there is a commit to write: something was decided, if only that nothing is to be
    /// stored.
    pub(super) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Bytes of the commit so far; 0 before something was decided.
    pub(super) fn bytes(&self) -> usize {
        if self.is_begun { self.pending.builder.len() } else { 0 }
    }

    /// Decides `batches`, in order; those that are set aside are no part of the commit. After an
    /// error the commit is what it was before.
    pub(super) fn decide(&mut self, shared: &Shared, batches: &[Batch], received_at_ns: i64) -> Result<Vec<Decision>> {
        if !self.is_begun {
            self.pending.begin(self.next_seq, received_at_ns);
        }
        // Before the index is asked: what it comes to know later is in here, what it knew before it
        // finds.
        let in_flight = self.in_flight.clone().filter(|commit| !commit.is_indexed());
        let events = self.look_up(shared, batches)?;
        let checkpoint = self.pending.checkpoint();
        let in_flight = in_flight.as_deref().map(|commit| &commit.planned);
        let mut decider = Decider::new(shared, &self.buffers.hits, events, in_flight, &mut self.pending);
        let decisions = batches.iter().map(|batch| decider.decide_batch(batch)).collect::<Result<Vec<_>>>();
        let decisions = match self.pending.builder.len() {
            bytes if bytes > FRAME_BODY_BYTES_MAX => Err(over_limit(bytes)),
            _ => decisions,
        };
        match &decisions {
            // A commit of nothing is one too; of what was set aside alone there is none.
            Ok(decisions) => {
                self.is_begun |=
                    decisions.is_empty() || decisions.iter().any(|decision| *decision != Decision::SetAside);
            }
            Err(_) => self.pending.roll_back(checkpoint),
        }
        decisions
    }

    /// Completes the commit for `log`, where the one before has been written, and goes on behind
    /// it.
    ///
    /// # Errors
    /// [`Error::Broken`] where it does not continue the log, or its parts disagree.
    pub(super) fn send(&mut self, log: &LogWriter, upstream: Option<u64>) -> Result<Arc<InFlightCommit>> {
        let PendingCommit { builder, keys, counts, .. } = &mut self.pending;
        invariant!(builder.first_seq() == log.position().next_seq, "a commit was decided for another place of the log");
        invariant!(keys.entries().len() == builder.row_count() as usize, "a commit has rows without a key");
        invariant!(counts.reconcile(), "the counts of a commit do not add up");
        invariant!(counts.stored <= u64::from(builder.row_count()), "a commit counts events as stored that it has not");
        log.complete(builder, upstream, *counts);
        self.next_seq = builder.next_seq();
        self.is_begun = false;
        // Nobody writes the one before any more, so that its memory is free.
        let free = self.in_flight.take().and_then(Arc::into_inner).map(|commit| commit.planned);
        let planned = std::mem::replace(&mut self.pending, free.unwrap_or_else(|| PendingCommit::new(self.salt)));
        let commit = Arc::new(InFlightCommit::new(planned));
        self.in_flight = Some(Arc::clone(&commit));
        Ok(commit)
    }

    /// Finds what the index knows of the events, and of the evidence that they may become. Returns
    /// the number of events.
    fn look_up(&mut self, shared: &Shared, batches: &[Batch]) -> Result<usize> {
        let events = self.buffers.look_up(shared, batches).map_err(|error| distrust_index(shared, error))?;
        self.pending.keys.reserve(events);
        Ok(events)
    }
}

/// A damaged index would call duplicates new. The next start mends it.
fn distrust_index(shared: &Shared, error: Error) -> Error {
    if !matches!(error, Error::Damaged { .. }) {
        return error;
    }
    // If this fails too, the next start finds the damage as this commit did.
    let _ = shared.index.distrust();
    shared.stop(&error)
}

/// A commit that is over the limit.
pub(super) fn over_limit(bytes: usize) -> Error {
    Error::Invalid(format!("a commit of {bytes} bytes is over the limit of {FRAME_BODY_BYTES_MAX}"))
}
