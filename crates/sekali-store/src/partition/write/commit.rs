//! One commit, from its first event until it is durable.

use std::sync::MutexGuard;

use super::planner::CommitPlanner;
use super::write_path::WritePath;
use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::partition::Decision;

/// A commit that is being decided. Dropped before [`Commit::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct Commit<'a> {
    path: &'a WritePath,
    planner: MutexGuard<'a, CommitPlanner>,
}

impl<'a> Commit<'a> {
    /// Begins a commit, once the one before is decided.
    pub(crate) fn begin(path: &'a WritePath) -> Self {
        let mut planner = path.planner();
        planner.begin();
        Self { path, planner }
    }

    /// Decides every event of `batches`, in order, after those that this commit has already. The
    /// outcomes hold once the commit is finished. Before that nobody may be told of them,
    /// duplicates included: what they are duplicates of may be in this commit, or in one that is
    /// still being written.
    ///
    /// A batch in which an event has a known key and other bytes than the stored one is
    /// [set aside](Decision::SetAside), unless it was compared before: reading and comparing takes
    /// long, and other commits would wait.
    ///
    /// `received_at_ns` is the time, in nanoseconds since 1970-01-01T00:00:00Z, and may lie before
    /// the last commit's. A commit has one time, that of the first call.
    ///
    /// # Errors
    /// After any of them the commit is what it was before the call, and can go on with other
    /// batches.
    /// - [`Error::StorageFull`], [`Error::Invalid`]: later commits may succeed.
    /// - [`Error::Stopped`]: the log could not be written earlier, or a run of the index is damaged,
    ///   which the next start mends. There are no more commits.
    /// - [`Error::Io`]: the index could not be read or cannot be written. A later commit may succeed.
    pub fn decide(&mut self, batches: &[Batch], received_at_ns: i64) -> Result<Vec<Decision>> {
        self.path.check_writable(batches, self.planner.bytes())?;
        let decided = self.planner.decide(&self.path.shared, batches, received_at_ns);
        decided.map_err(|error| self.path.refuse(error))
    }

    /// Bytes that it has come to, on disk; 0 while nothing was decided.
    pub fn bytes(&self) -> usize {
        self.planner.bytes()
    }

    /// Waits until the commit before is written, then writes this one and syncs it. What was
    /// decided is durable, and readers see it, when this returns. The next commit can begin once
    /// this one is being written. Without a decision nothing is written, but the wait is the same.
    ///
    /// `upstream` is stored with the commit, for a caller that replays another log: the first may be
    /// any, and each further one is the next number, so that nothing is applied twice or left out.
    ///
    /// # Errors
    /// - [`Error::StorageFull`]: nothing was written, and later commits may succeed.
    /// - [`Error::Invalid`]: `upstream` does not follow the position of the last commit that had one.
    ///   Nothing was written.
    /// - [`Error::Stopped`]: the log could not be written, now or earlier. Whether events of this
    ///   commit are on disk shows when the store is opened again; until then there are no more
    ///   commits.
    pub fn finish(self, upstream: Option<u64>) -> Result<()> {
        let Self { path, mut planner } = self;
        if !planner.is_begun() {
            // What was set aside may have to be compared with the commit before, which can be read
            // once it is written.
            drop(planner);
            drop(path.log());
            return Ok(());
        }
        let mut log = path.log();
        // What was decided counts on the commit before, which may have failed.
        path.check_running()?;
        check_upstream(log.position().upstream, upstream)?;
        path.reserve_room(&mut log, planner.bytes()).map_err(|error| match error {
            // Nobody has built on this commit yet, so it can be taken back.
            Error::StorageFull { .. } => error,
            _ => path.shared.stop(&error),
        })?;
        let commit = planner.send(&log, upstream).map_err(|error| path.shared.stop(&error))?;
        drop(planner);
        path.write(&mut log, &commit).map_err(|error| path.shared.stop(&error))
    }
}

/// Refuses a position in the upstream log that is not the next.
fn check_upstream(last: Option<u64>, given: Option<u64>) -> Result<()> {
    match (last, given) {
        (Some(last), Some(given)) if last.checked_add(1) != Some(given) => Err(Error::Invalid(format!(
            "upstream position {given} does not follow {last}, the last one that was committed; go on with the one behind it"
        ))),
        _ => Ok(()),
    }
}
