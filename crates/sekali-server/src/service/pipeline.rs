//! From encoded batches to durable outcomes: a bounded queue and two committer threads per
//! partition.
//!
//! Pushing never blocks; a full queue refuses. All batches that wait in a queue share one commit
//! and one sync, and every request is answered after the sync that made it durable. If more waits
//! than that, clients take turns. HTTP is not known here.
//!
//! A batch with events that must be compared with stored ones is set aside by the committer, is
//! compared where no other batch waits for that, and is pushed again.

mod answers;
mod committer;
mod compare;
mod health;
mod queue;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use sekali_store::{Batch, Outcome, Partition, Preview};
use tokio::sync::oneshot;

use crate::clients::{Client, Rooms};
use crate::limits::QUEUE_BYTES_MAX;
use crate::spent::{self, Stage};

use super::{CommitTimings, Shortage, SpaceWatch};
use answers::Waiter;
pub use committer::Committers;
use compare::Comparer;
use health::Health;
use queue::{Job, Queue};

/// Why a commit was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// Too much is waiting already. Nothing is stored; trying again will help.
    Overloaded,
    /// The disk is full. Nothing is stored; trying again helps once there is space.
    StorageFull(Shortage),
    /// The events of some partitions are stored and those of others are not. Sending all again is
    /// safe and completes it.
    PartlyStored,
    /// A write or sync failed. A restart decides which events are stored; sending all again is
    /// safe.
    StorageFailed,
    /// The store would have more topics than this client may make. Nothing is stored.
    TooManyTopics,
    /// The queue is closed. Nothing is stored.
    ShuttingDown,
    /// Stored events that had to be compared could not be read, and which. Nothing is stored.
    Unreadable(String),
}

/// The way to the committers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pipeline {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queues: Vec<Queue>,
    rooms: Rooms,
    comparer: Comparer,
    health: Health,
    space: SpaceWatch,
    timings: CommitTimings,
}

impl Pipeline {
    /// Starts two committer threads for every partition.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start(
        partitions: Vec<Partition>,
        space: SpaceWatch,
        timings: CommitTimings,
    ) -> io::Result<(Self, Committers)> {
        let shared = Arc::new(Shared {
            queues: partitions.iter().map(|_| Queue::default()).collect(),
            rooms: Rooms::new(QUEUE_BYTES_MAX),
            comparer: Comparer::start(partitions.iter().map(Partition::reader).collect())?,
            health: Health::default(),
            space,
            timings,
        });
        let committers = Committers::start(partitions, &shared)?;
        Ok((Self { shared }, committers))
    }

    /// Commits batches of a client, each to its partition, and waits until they are durable. The
    /// outcomes are by batch, then by event.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub(crate) async fn commit(
        &self,
        client: Client,
        batches: Vec<(u32, Batch)>,
    ) -> Result<Vec<Vec<Outcome>>, CommitError> {
        let answers = self.push(&client, batches)?;
        let mut outcomes = Vec::with_capacity(answers.len());
        let mut refused = None;
        for (partition, answer) in answers {
            match self.settle(&client, partition, answer).await {
                Ok(batch) => outcomes.push(batch),
                Err(CommitError::StorageFailed) => refused = Some(CommitError::StorageFailed),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            None => Ok(outcomes),
            Some(CommitError::StorageFailed) => Err(CommitError::StorageFailed),
            Some(_) if !outcomes.is_empty() => Err(CommitError::PartlyStored),
            Some(refused) => Err(refused),
        }
    }

    /// Says what would become of the events of batches, by batch. They are compared as those are
    /// that are set aside, a batch at a time; nothing is stored or counted.
    ///
    /// # Errors
    /// [`CommitError::Overloaded`], [`CommitError::Unreadable`], [`CommitError::ShuttingDown`].
    pub(crate) async fn preview(
        &self,
        client: &Client,
        batches: Vec<(u32, Batch)>,
        received_at_ns: i64,
    ) -> Result<Vec<Vec<Preview>>, CommitError> {
        let mut previews = Vec::with_capacity(batches.len());
        for (partition, batch) in batches {
            previews.push(self.shared.comparer.preview(client, partition, batch, received_at_ns).await?);
        }
        Ok(previews)
    }

    /// Waits for the outcomes of a batch, and has it compared and pushed again as often as it is set
    /// aside: each time, what it was set aside for is durable and gets compared.
    async fn settle(
        &self,
        client: &Client,
        partition: u32,
        mut answer: oneshot::Receiver<Answer>,
    ) -> Result<Vec<Outcome>, CommitError> {
        let mut pushed = Instant::now();
        loop {
            // No answer means that the committer is gone in the middle of a commit.
            match answer.await.unwrap_or(Answer::Refused(CommitError::StorageFailed)) {
                Answer::Committed(outcomes, looked_up) => {
                    looked_up.note(pushed);
                    return Ok(outcomes);
                }
                Answer::Refused(error) => return Err(error),
                Answer::SetAside(batch) => {
                    let batch = self.shared.comparer.compare(client, partition, batch).await?;
                    let again = self.push(client, vec![(partition, batch)])?.pop();
                    (_, answer) = again.ok_or(CommitError::StorageFailed)?;
                    pushed = Instant::now();
                }
            }
        }
    }

    /// Whether `bytes` of a client fit the queue at the moment. A request that does not fit is
    /// better refused before it is read.
    pub(crate) fn has_room(&self, client: impl FnOnce() -> Client, bytes: usize) -> bool {
        self.shared.rooms.reserve(client, bytes).is_some()
    }

    /// Bytes that wait or are being committed.
    pub fn queued_bytes(&self) -> usize {
        self.shared.rooms.used()
    }

    /// Why there are no more commits, if there are none.
    pub fn stopped(&self) -> Option<Arc<str>> {
        self.shared.health.stopped()
    }

    /// Waits until there are no more commits because one failed, and says why.
    pub async fn until_stopped(&self) -> Arc<str> {
        self.shared.health.until_stopped().await
    }

    /// Takes no more batches. Those that wait are still committed; then the committers close their
    /// partitions and end.
    pub fn close(&self) {
        self.shared.queues.iter().for_each(Queue::close);
    }

    /// Pushes all batches, or none: room for all of them is taken first.
    fn push(
        &self,
        client: &Client,
        batches: Vec<(u32, Batch)>,
    ) -> Result<Vec<(u32, oneshot::Receiver<Answer>)>, CommitError> {
        if self.shared.health.stopped().is_some() {
            return Err(CommitError::StorageFailed);
        }
        let sizes = batches.iter().map(|(_, batch)| batch.bytes());
        let rooms: Option<Vec<_>> = sizes.map(|bytes| self.shared.rooms.reserve(|| client.clone(), bytes)).collect();
        let mut receivers = Vec::with_capacity(batches.len());
        for ((partition, batch), room) in batches.into_iter().zip(rooms.ok_or(CommitError::Overloaded)?) {
            let (waiter, receiver) = Waiter::here(room);
            let job = Job { batch, waiter };
            let queue = self.shared.queues.get(partition as usize);
            let pushed = queue.is_some_and(|queue| queue.push(client.clone(), job));
            if !pushed {
                return Err(self.why_closed(receivers.is_empty()));
            }
            receivers.push((partition, receiver));
        }
        Ok(receivers)
    }

    fn why_closed(&self, nothing_pushed: bool) -> CommitError {
        match (self.shared.health.stopped(), nothing_pushed) {
            (Some(_), _) => CommitError::StorageFailed,
            (None, true) => CommitError::ShuttingDown,
            (None, false) => CommitError::PartlyStored,
        }
    }
}

/// When the events of a batch were looked up for a commit, which was written behind it.
#[derive(Debug, Clone, Copy)]
struct LookUp {
    begun: Instant,
    ended: Instant,
}

impl LookUp {
    /// Notes the time of a batch that was pushed at this moment, and is durable now.
    fn note(self, pushed: Instant) {
        spent::note(Stage::Queue, self.begun.saturating_duration_since(pushed));
        spent::note(Stage::LookUp, self.ended.saturating_duration_since(self.begun));
        spent::note(Stage::Sync, self.ended.elapsed());
    }
}

/// The fate of one batch.
#[derive(Debug)]
enum Answer {
    /// It is durable.
    Committed(Vec<Outcome>, LookUp),
    Refused(CommitError),
    /// Its events must be compared with stored ones before a commit can decide them.
    SetAside(Batch),
}

impl Answer {
    /// Events that are durable with it.
    fn events(&self) -> usize {
        if let Self::Committed(outcomes, _) = self { outcomes.len() } else { 0 }
    }
}
