//! Batches that wait for a committer.
//!
//! The queue itself has no bound: whoever pushes has taken room from the budget that all queues share, and every job
//! carries its room with it until it is answered.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use sekali_store::Batch;
use tokio::sync::oneshot;

use super::Answer;
use crate::budget::Reservation;

/// A batch to commit, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) answer: oneshot::Sender<Answer>,
    pub(super) room: Reservation,
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
}

impl Queue {
    /// Appends a job. `false`, and the job is dropped, if the queue is closed.
    pub(super) fn push(&self, job: Job) -> bool {
        let mut state = self.lock();
        if !state.closed {
            state.jobs.push_back(job);
            self.changed.notify_one();
        }
        !state.closed
    }

    /// Waits for jobs and takes all there are, up to and including the one that reaches `bytes_max`. Empty once the
    /// queue is closed and everything was taken.
    pub(super) fn take(&self, bytes_max: usize) -> Vec<Job> {
        let waiting = |state: &mut State| state.jobs.is_empty() && !state.closed;
        let mut state = self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0;
        let mut count = 0;
        while let Some(job) = state.jobs.get(count).filter(|_| bytes < bytes_max) {
            bytes += job.batch.bytes();
            count += 1;
        }
        state.jobs.drain(..count).collect()
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
