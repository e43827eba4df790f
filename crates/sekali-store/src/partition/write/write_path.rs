//! The way of commits from the planner to the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pending_commit::InFlightCommit;
use super::planner::{CommitPlanner, over_limit};
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::limits::FRAME_BODY_BYTES_MAX;
use crate::log::writer::LogWriter;
use crate::partition::keep::Sealer;
use crate::partition::shared::Shared;

/// The writing half of a partition: decides commits one at a time, and writes them one at a time.
/// The next commit is decided while the last is in flight.
#[derive(Debug)]
pub(crate) struct WritePath {
    /// First, so that it is dropped first: its thread ends before the store is unlocked.
    sealer: Sealer,
    pub(super) shared: Arc<Shared>,
    /// Held while a commit is decided, and until it is its turn to be written.
    planner: Mutex<CommitPlanner>,
    /// Held while a commit is written, or its file closed. Taken after `planner`, never before.
    log: Arc<Mutex<LogWriter>>,
    /// Free space, in bytes, that a commit must leave.
    free_bytes_min: u64,
}

impl WritePath {
    /// Goes on where `log` ends.
    pub(crate) fn new(
        sealer: Sealer,
        shared: Arc<Shared>,
        planner: CommitPlanner,
        log: Arc<Mutex<LogWriter>>,
        free_bytes_min: u64,
    ) -> Self {
        Self { sealer, shared, planner: Mutex::new(planner), log, free_bytes_min }
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The planner, once no other commit is being decided.
    pub(super) fn planner(&self) -> MutexGuard<'_, CommitPlanner> {
        self.planner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writer of the log, once no commit is being written.
    pub(crate) fn log(&self) -> MutexGuard<'_, LogWriter> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure of the space for a frame of `frame_bytes` bytes, in a new file if the last one is
    /// full.
    pub(super) fn reserve_room(&self, log: &mut LogWriter, frame_bytes: usize) -> Result<()> {
        if let Some(file) = log.rotate_if_full()? {
            self.shared.add_file(file)?;
        }
        log.reserve_room(frame_bytes as u64)
    }

    /// Writes and syncs a commit, then lets look-ups and readers see it. Any error leaves the log
    /// in doubt.
    pub(super) fn write(&self, log: &mut LogWriter, commit: &InFlightCommit) -> Result<()> {
        let topics = log.append(commit.planned.builder.bytes())?;
        self.shared.note_durable(log.position())?;
        self.shared.index.insert(commit.planned.keys.entries())?;
        commit.mark_indexed();
        self.shared.publish(log.position(), &topics)
    }

    /// The error for the caller of a commit that was not written: after [`Error::Broken`] there are
    /// no more commits.
    pub(super) fn refuse(&self, error: Error) -> Error {
        if matches!(error, Error::Broken(_)) { self.shared.stop(&error) } else { error }
    }

    /// Whether there may be commits at all.
    pub(super) fn check_running(&self) -> Result<()> {
        if let Some(reason) = self.shared.stopped() {
            return Err(Error::Stopped(reason));
        }
        if self.planner.is_poisoned() || self.log.is_poisoned() {
            return Err(self
                .shared
                .stop(&Error::Invalid("a commit panicked, nobody knows how far it came".to_owned())));
        }
        Ok(())
    }

    /// Whether a commit that has come to `begun` bytes may take `batches` as well.
    pub(super) fn check_writable(&self, batches: &[Batch], begun: usize) -> Result<()> {
        self.check_running()?;
        let bytes = begun + batches.iter().map(Batch::bytes).sum::<usize>();
        if bytes > FRAME_BODY_BYTES_MAX {
            return Err(over_limit(bytes));
        }
        // The index keeps in memory what it cannot write. It must not do so without bounds.
        let can_write = self.shared.index.health().and_then(|()| self.sealer.make_room());
        can_write.map_err(|error| self.refuse(self.shared.space.classify_error(error)))?;
        self.shared.space.check(bytes as u64 + self.free_bytes_min)?;
        // An event that is published in the place of a lost one must never be joined by it.
        self.shared.losses.settle().map_err(|error| self.refuse(self.shared.space.classify_error(error)))
    }
}
