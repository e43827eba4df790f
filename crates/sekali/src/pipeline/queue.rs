//! Batches that wait for a committer.
//!
//! The queue itself has no bound: whoever pushes has taken room from the budget that all queues share, and every job
//! carries its room with it until it is answered.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sekali_store::Batch;

use super::answers::Waiter;

/// A batch to commit, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) waiter: Waiter,
}

/// What a committer should do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Commit these; there is at least one.
    Jobs(Vec<Job>),
    /// Nothing came.
    Idle,
    /// Nothing will come.
    Closed,
}

/// Jobs in the order they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// Whether the committer sleeps, and nobody has woken it yet. To wake one that does not sleep costs a system call too.
    is_awaited: bool,
}

impl Queue {
    /// Appends a job. `false`, and the job is dropped, if the queue is closed.
    pub(super) fn push(&self, job: Job) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.jobs.push_back(job);
        let is_awaited = std::mem::take(&mut state.is_awaited);
        // Unlocked first: whoever is woken wants the lock.
        drop(state);
        if is_awaited {
            self.changed.notify_one();
        }
        true
    }

    /// Waits for jobs, at most for `patience`, and takes all there are, up to and including the one that reaches
    /// `bytes_max`.
    pub(super) fn take(&self, bytes_max: usize, patience: Duration) -> Next {
        let waiting = |state: &mut State| {
            state.is_awaited = state.jobs.is_empty() && !state.closed;
            state.is_awaited
        };
        let waited = self.changed.wait_timeout_while(self.lock(), patience, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_awaited = false;
        if state.jobs.is_empty() {
            return if state.closed { Next::Closed } else { Next::Idle };
        }
        let mut bytes = 0;
        let mut count = 0;
        while let Some(job) = state.jobs.get(count).filter(|_| bytes < bytes_max) {
            bytes += job.batch.bytes();
            count += 1;
        }
        Next::Jobs(state.jobs.drain(..count).collect())
    }

    /// Takes no more jobs.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes no more jobs, and drops those that wait.
    pub(super) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut self.lock().jobs);
        drop(jobs);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
