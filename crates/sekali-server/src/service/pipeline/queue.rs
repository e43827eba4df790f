//! Batches that wait for a committer.
//!
//! The queue itself has no bound: a push has reserved its bytes in the room that all queues share,
//! and every job carries its room with it until it is answered. Clients take turns as soon as more
//! waits than a commit takes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sekali_store::Batch;

use super::answers::Waiter;
use crate::clients::{Client, FairQueue, Portion};
use crate::limits::{COMMIT_BYTES_MAX, COMMIT_SMALL_BYTES_MAX, DECIDE_AHEAD_BYTES, SMALL_BYTES_MAX};

/// A batch to commit, and the task that waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) waiter: Waiter,
}

/// The next step of a committer.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// Take these into the commit, and ask again: another commit is being written.
    More(Vec<Job>),
    /// Take these into the commit, if there are any, and write it. No other thread writes while the
    /// turn is held.
    Last(Vec<Job>, Turn<'a>),
    /// Nothing came.
    Idle,
    /// Nothing will come.
    Closed,
}

/// The right to write. It passes on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Queue);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_writing = false;
        self.0.wake(state);
    }
}

/// Jobs in the order of their turns. One committer at a time waits for them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: FairQueue<Job>,
    closed: bool,
    /// Whether a commit is being written.
    is_writing: bool,
    /// The bytes in the commit of a committer that sleeps and was not woken yet. Waking one that
    /// does not sleep costs a system call too.
    asleep: Option<usize>,
}

impl State {
    /// Whether a committer with `begun` bytes in its commit has something to do.
    fn concerns(&self, begun: usize) -> bool {
        if self.closed && self.jobs.is_empty() && begun == 0 {
            return true;
        }
        if self.is_writing {
            // Jobs that arrive by then share the commit. Deciding few of them ahead saves nothing,
            // and costs a wake-up.
            self.jobs.bytes() >= DECIDE_AHEAD_BYTES && begun < COMMIT_BYTES_MAX
        } else {
            begun > 0 || !self.jobs.is_empty()
        }
    }

    /// Takes jobs until the commit has its most bytes, and a few small ones behind them: a client
    /// that sends little does not wait for another commit.
    fn take(&mut self, begun: usize) -> Vec<Job> {
        self.jobs.take(Portion {
            bytes: COMMIT_BYTES_MAX.saturating_sub(begun),
            small: COMMIT_SMALL_BYTES_MAX,
            small_max: SMALL_BYTES_MAX,
        })
    }
}

impl Queue {
    /// Appends a job of a client. `false`, and the job is dropped, if the queue is closed.
    pub(super) fn push(&self, client: Client, job: Job) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.jobs.push(client, job.batch.bytes(), job);
        self.wake(state);
        true
    }

    /// Waits for the next step of a committer with `begun` bytes in its commit, 0 if it has none.
    /// Then it waits at most for `patience`, unless a commit is being written.
    pub(super) fn next(&self, begun: usize, patience: Duration) -> Next<'_> {
        let idle = |state: &mut State| {
            state.asleep = (!state.concerns(begun)).then_some(begun);
            state.asleep.is_some()
        };
        let mut state = self.lock();
        loop {
            let waited = self.changed.wait_timeout_while(state, patience, idle);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if !timeout.timed_out() {
                break;
            }
            if !state.is_writing {
                state.asleep = None;
                return Next::Idle;
            }
        }
        let jobs = state.take(begun);
        if jobs.is_empty() && begun == 0 {
            return Next::Closed;
        }
        if state.is_writing {
            return Next::More(jobs);
        }
        state.is_writing = true;
        Next::Last(jobs, Turn(self))
    }

    /// Takes no more jobs.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes no more jobs, and drops those that wait.
    pub(super) fn abandon(&self) {
        self.close();
        let mut state = self.lock();
        let jobs = state.jobs.take_all();
        drop(state);
        drop(jobs);
    }

    /// Wakes the committer that sleeps, if this state of things concerns it.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakes = state.asleep.is_some_and(|begun| state.concerns(begun));
        if wakes {
            state.asleep = None;
            // Unlocked first: the woken thread wants the lock.
            drop(state);
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use sekali_store::{EventRef, HashKey, KeyHasher};
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::clients::Rooms;

    fn job(payload_bytes: usize) -> Job {
        let payload = vec![b'x'; payload_bytes];
        let mut batch = Batch::new();
        let event = EventRef { topic: "t", event_id: "e", timestamp_ns: 0, source: "s", payload: &payload };
        batch.push(&KeyHasher::new(&HashKey([1; 32])), &event);
        let room = Rooms::new(payload_bytes).reserve(|| Client::numbered(1), payload_bytes).unwrap();
        Job { batch, waiter: Waiter::here(room).0 }
    }

    fn small() -> Job {
        job(100)
    }

    fn large() -> Job {
        job(DECIDE_AHEAD_BYTES)
    }

    /// The next work of a queue, without waiting for it.
    fn now(queue: &Queue, begun: usize) -> (&'static str, usize) {
        kind(queue.next(begun, Duration::ZERO))
    }

    /// The kind of some work, and its number of jobs.
    fn kind(next: Next<'_>) -> (&'static str, usize) {
        match next {
            Next::More(jobs) => ("more", jobs.len()),
            Next::Last(jobs, _) => ("last", jobs.len()),
            Next::Idle => ("idle", 0),
            Next::Closed => ("closed", 0),
        }
    }

    #[test]
    fn while_nobody_writes_all_there_is_makes_a_commit() {
        let queue = Queue::default();
        assert_eq!(now(&queue, 0), ("idle", 0));
        assert!(
            queue.push(Client::numbered(1), small())
                && queue.push(Client::numbered(1), large())
                && queue.push(Client::numbered(1), small())
        );
        assert_eq!(now(&queue, 0), ("last", 3));
        assert_eq!(now(&queue, 0), ("idle", 0));
        assert_eq!(now(&queue, 1), ("last", 0), "what was begun is written");
    }

    #[test]
    fn while_somebody_writes_only_much_is_taken_ahead() {
        let queue = Queue::default();
        queue.push(Client::numbered(1), small());
        let Next::Last(_, turn) = queue.next(0, Duration::MAX) else { panic!("nobody writes") };
        queue.push(Client::numbered(1), large());
        queue.push(Client::numbered(1), small());
        assert_eq!(now(&queue, 0), ("more", 2));
        queue.push(Client::numbered(1), small());
        assert!(!queue.lock().concerns(1), "a small one waits for its turn");
        let jobs = thread::scope(|scope| {
            let next = scope.spawn(|| kind(queue.next(1, Duration::MAX)));
            drop(turn);
            next.join().unwrap()
        });
        assert_eq!(jobs, ("last", 1));
    }

    #[test]
    fn a_commit_takes_so_much_and_no_more() {
        let queue = Queue::default();
        for _ in 0..3 {
            queue.push(Client::numbered(1), job(COMMIT_BYTES_MAX / 2));
        }
        let Next::Last(jobs, turn) = queue.next(0, Duration::MAX) else { panic!("nobody writes") };
        assert_eq!(jobs.len(), 2);
        assert!(!queue.lock().concerns(COMMIT_BYTES_MAX), "it is full");
        drop(turn);
        assert_eq!(now(&queue, COMMIT_BYTES_MAX), ("last", 0));
        assert_eq!(now(&queue, 0), ("last", 1));
    }

    #[test]
    fn a_small_job_of_another_client_goes_with_the_next_commit_even_if_that_is_full() {
        let queue = Queue::default();
        let Next::Last(_, turn) = ({
            queue.push(Client::numbered(1), small());
            queue.next(0, Duration::MAX)
        }) else {
            panic!("nobody writes")
        };
        for _ in 0..3 {
            queue.push(Client::numbered(1), job(COMMIT_BYTES_MAX));
        }
        assert_eq!(now(&queue, 0), ("more", 1));
        queue.push(Client::numbered(2), small());
        assert!(!queue.lock().concerns(COMMIT_BYTES_MAX), "it is full");
        drop(turn);
        assert_eq!(now(&queue, COMMIT_BYTES_MAX), ("last", 1));
        assert_eq!(queue.lock().jobs.bytes(), 2 * job(COMMIT_BYTES_MAX).batch.bytes());
    }

    #[test]
    fn what_waits_when_it_is_closed_is_still_taken() {
        let queue = Queue::default();
        queue.push(Client::numbered(1), small());
        queue.close();
        assert!(!queue.push(Client::numbered(1), small()));
        assert_eq!(now(&queue, 0), ("last", 1));
        assert_eq!(now(&queue, 0), ("closed", 0));
        assert_eq!(now(&queue, 1), ("last", 0), "what was begun is written");
    }

    #[test]
    fn what_waits_when_it_is_abandoned_is_dropped() {
        let queue = Queue::default();
        let (waiter, mut receiver) = Waiter::here(Rooms::new(0).reserve(|| Client::numbered(1), 0).unwrap());
        queue.push(Client::numbered(1), Job { waiter, ..small() });
        queue.abandon();
        assert_eq!(now(&queue, 0), ("closed", 0));
        assert!(matches!(receiver.try_recv(), Err(TryRecvError::Closed)));
    }
}
