//! The threads that own the partitions.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sekali_store::{Batch, Error, Partition};
use tracing::{debug, error, info, warn};

use super::answers::tell;
use super::queue::{Job, Next, Queue};
use super::{Answer, Refused, Shared};
use crate::clock::now_ns;
use crate::limits::COMMIT_BYTES_MAX;

/// The running committer threads.
#[derive(Debug)]
pub struct Committers {
    threads: Vec<JoinHandle<()>>,
}

impl Committers {
    pub(super) fn start(partitions: Vec<Partition>, shared: &Arc<Shared>) -> io::Result<Self> {
        let mut threads = Vec::with_capacity(partitions.len());
        for (number, partition) in partitions.into_iter().enumerate() {
            let shared = Arc::clone(shared);
            let thread = thread::Builder::new().name(format!("commit-{number}"));
            threads.push(thread.spawn(move || run(number, partition, &shared))?);
        }
        Ok(Self { threads })
    }

    /// Waits until all have ended, which they do once the pipeline is closed. Blocks.
    pub fn join(self) {
        for thread in self.threads {
            // A panic was noted by the thread's own guard.
            let _ = thread.join();
        }
    }
}

fn run(number: usize, mut partition: Partition, shared: &Shared) {
    let Some(queue) = shared.queues.get(number) else { return };
    let _guard = Guard { queue, shared };
    let mut patience = IDLE_AFTER;
    loop {
        let outcome = match queue.take(COMMIT_BYTES_MAX, patience) {
            Next::Jobs(jobs) => {
                patience = IDLE_AFTER;
                commit(&mut partition, jobs, shared)
            }
            Next::Idle => {
                patience = mark(number, &mut partition);
                Ok(())
            }
            Next::Closed => break,
        };
        if let Err(reason) = outcome {
            error!(partition = number, reason, "no more commits: a write failed; restart to recover");
            shared.health.stop(&reason);
            return;
        }
    }
    match partition.close() {
        Ok(()) => info!(partition = number, "partition closed"),
        Err(error) => warn!(partition = number, %error, "partition closed without its last mark"),
    }
}

/// A partition without commits for so long is marked as durable to its end.
const IDLE_AFTER: Duration = Duration::from_secs(1);

/// Answers how long to wait for the next commit before this is tried again.
fn mark(number: usize, partition: &mut Partition) -> Duration {
    match partition.mark() {
        Ok(()) => Duration::MAX,
        Err(error) => {
            debug!(partition = number, error = error.describe(), "cannot write down yet how far the log is durable");
            IDLE_AFTER
        }
    }
}

/// However the thread ends, a panic included, nobody may go on waiting for it.
struct Guard<'a> {
    queue: &'a Queue,
    shared: &'a Shared,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.health.stop("a committer thread panicked");
        }
        self.queue.abandon();
    }
}

/// Commits and answers `jobs`. An error is the reason why there can be no further commit.
fn commit(partition: &mut Partition, jobs: Vec<Job>, shared: &Shared) -> Result<(), String> {
    let (batches, waiters): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.batch, job.waiter)).unzip();
    let answers = commit_together(partition, &batches);
    let failed = answers.as_ref().err().cloned();
    if let Some(reason) = &failed {
        // First: whoever is told that a write has failed must not find the server ready.
        shared.health.stop(reason);
    }
    let mut answers = answers.unwrap_or_default().into_iter();
    tell(waiters.into_iter().map(|waiter| (waiter, answers.next().unwrap_or(Err(Refused::StorageFailed)))));
    failed.map_or(Ok(()), Err)
}

fn commit_together(partition: &mut Partition, batches: &[Batch]) -> Result<Vec<Answer>, String> {
    // Where the clock goes back, the engine stays with the time of the last commit.
    match partition.commit(batches, now_ns(), None) {
        Ok(outcomes) => Ok(outcomes.into_iter().map(Ok).collect()),
        Err(Error::Stopped(reason)) => Err(reason),
        Err(Error::StorageFull { available, needed }) => {
            warn!(available, needed, "publishing refused: storage is full");
            Ok(batches.iter().map(|_| Err(Refused::StorageFull)).collect())
        }
        // One event compares with something unreadable. The other requests must not suffer for it.
        Err(_) if batches.len() > 1 => batches.iter().map(|batch| commit_alone(partition, batch)).collect(),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "publishing refused");
            Ok(batches.iter().map(|_| Err(Refused::Unreadable)).collect())
        }
    }
}

fn commit_alone(partition: &mut Partition, batch: &Batch) -> Result<Answer, String> {
    let answers = commit_together(partition, std::slice::from_ref(batch))?;
    Ok(answers.into_iter().next().unwrap_or(Err(Refused::StorageFailed)))
}
