//! The threads that commit: two for each partition, so that one decides the next commit while the
//! other writes the last.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sekali_store::{Batch, Commit, Decision, Error, Partition};
use tracing::{debug, error, info, warn};

use super::answers::{Waiter, tell};
use super::queue::{Job, Next, Queue, Turn};
use super::{Answer, CommitError, LookUp, Shared};
use crate::clock::now_ns;
use crate::service::Shortage;

/// A partition without commits for so long is marked as durable to its end.
const IDLE_AFTER: Duration = Duration::from_secs(1);

/// The running committer threads.
#[derive(Debug)]
pub struct Committers {
    threads: Vec<JoinHandle<()>>,
}

impl Committers {
    pub(super) fn start(partitions: Vec<Partition>, shared: &Arc<Shared>) -> io::Result<Self> {
        let mut threads = Vec::with_capacity(2 * partitions.len());
        for (number, partition) in partitions.into_iter().enumerate() {
            let partition = Arc::new(partition);
            for name in ["a", "b"] {
                let (partition, shared) = (Arc::clone(&partition), Arc::clone(shared));
                let thread = thread::Builder::new().name(format!("commit-{number}{name}"));
                threads.push(thread.spawn(move || run(number, partition, &shared))?);
            }
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

fn run(number: usize, partition: Arc<Partition>, shared: &Shared) {
    let Some(queue) = shared.queues.get(number) else { return };
    let guard = Guard { queue, shared };
    if (Committer { number, partition: &partition, queue, shared }).run().is_err() {
        return;
    }
    drop(guard);
    // The thread that ends last closes the partition.
    match Arc::into_inner(partition).map(Partition::close) {
        Some(Ok(())) => info!(partition = number, "partition closed"),
        Some(Err(error)) => warn!(partition = number, %error, "partition closed without its last mark"),
        None => {}
    }
}

/// Ends the queue however the thread ends, a panic included: no request may go on waiting for it.
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

/// One of the threads of a partition.
struct Committer<'a> {
    number: usize,
    partition: &'a Partition,
    queue: &'a Queue,
    shared: &'a Shared,
}

/// There can be no further commit. The health of the pipeline has the reason.
struct Ended;

/// A waiting task, and its answer if the commit succeeds.
type Decided = (Waiter, Answer);

impl Committer<'_> {
    fn run(&self) -> Result<(), Ended> {
        let mut patience = IDLE_AFTER;
        loop {
            let mut commit = self.partition.begin();
            let mut decided = Vec::new();
            let turn = loop {
                // Answers wait as well, even if the commit has nothing.
                let begun = commit.bytes().max(decided.len());
                match self.queue.next(begun, patience) {
                    Next::More(jobs) => self.decide(&mut commit, jobs, &mut decided)?,
                    Next::Last(jobs, turn) => {
                        self.decide(&mut commit, jobs, &mut decided)?;
                        break turn;
                    }
                    Next::Idle => patience = self.mark(),
                    Next::Closed => return Ok(()),
                }
            };
            patience = IDLE_AFTER;
            self.write(commit, turn, decided)?;
        }
    }

    /// Takes jobs into the commit.
    fn decide(&self, commit: &mut Commit<'_>, jobs: Vec<Job>, decided: &mut Vec<Decided>) -> Result<(), Ended> {
        let begun = Instant::now();
        let (batches, waiters): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.batch, job.waiter)).unzip();
        let decisions = self.decide_together(commit, &batches)?;
        let looked_up = LookUp { begun, ended: Instant::now() };
        let answers = batches.into_iter().zip(decisions).map(|(batch, decision)| match decision {
            Ok(Decision::Decided(outcomes)) => Answer::Committed(outcomes, looked_up),
            Ok(Decision::SetAside) => Answer::SetAside(batch),
            Err(refused) => Answer::Refused(refused),
        });
        decided.extend(waiters.into_iter().zip(answers));
        Ok(())
    }

    fn decide_together(
        &self,
        commit: &mut Commit<'_>,
        batches: &[Batch],
    ) -> Result<Vec<Result<Decision, CommitError>>, Ended> {
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let refuse_all = |refused: CommitError| Ok(vec![Err(refused); batches.len()]);
        match commit.decide(batches, now_ns()) {
            Ok(decisions) => Ok(decisions.into_iter().map(Ok).collect()),
            Err(Error::Stopped(reason)) => Err(self.end(&reason)),
            Err(Error::StorageFull { available, needed }) => refuse_all(self.refuse_for_space(available, needed)),
            // One event needs something that cannot be read. The other requests must not suffer for
            // it.
            Err(_) if batches.len() > 1 => {
                let each = batches.chunks(1).map(|batch| self.decide_together(commit, batch));
                each.collect::<Result<Vec<_>, _>>().map(|answers| answers.concat())
            }
            Err(error) => {
                error!(error = &error as &dyn std::error::Error, "publishing refused");
                refuse_all(CommitError::Unreadable(error.to_string()))
            }
        }
    }

    /// Writes the commit, passes the turn to write on, and delivers the outcomes.
    fn write(&self, commit: Commit<'_>, turn: Turn<'_>, mut decided: Vec<Decided>) -> Result<(), Ended> {
        let begun = Instant::now();
        let written = match commit.finish(None) {
            Ok(()) => {
                self.shared.timings.note(decided.iter().map(|(_, answer)| answer.events()).sum(), begun.elapsed());
                Ok(None)
            }
            Err(Error::StorageFull { available, needed }) => Ok(Some(self.refuse_for_space(available, needed))),
            Err(Error::Stopped(reason)) => Err(self.end(&reason)),
            Err(error) => Err(self.end(&error.describe())),
        };
        drop(turn);
        if let Some(refused) = written? {
            let committed = decided.iter_mut().filter(|(_, answer)| matches!(answer, Answer::Committed(..)));
            committed.for_each(|(_, answer)| *answer = Answer::Refused(refused.clone()));
        }
        tell(decided);
        Ok(())
    }

    fn refuse_for_space(&self, available: u64, needed: u64) -> CommitError {
        let shortage = Shortage { available, needed };
        self.shared.space.note(Some(shortage));
        CommitError::StorageFull(shortage)
    }

    /// Ends all commits. Waiting requests learn of it when their sender is dropped, and must not
    /// find the server ready then.
    fn end(&self, reason: &str) -> Ended {
        if self.shared.health.stop(reason) {
            error!(partition = self.number, reason, "no more commits: a write failed; restart to recover");
        }
        Ended
    }

    /// Marks the partition as durable to its end. Returns how long to wait before another try.
    fn mark(&self) -> Duration {
        match self.partition.mark() {
            Ok(()) => Duration::MAX,
            Err(error) => {
                let error = error.describe();
                debug!(partition = self.number, error, "cannot write down yet how far the log is durable");
                IDLE_AFTER
            }
        }
    }
}
