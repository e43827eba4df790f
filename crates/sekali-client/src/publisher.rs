//! Publishes many batches: a few requests in flight, each retried until it is acknowledged.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::{Batch, Client, ClientError, Feed, Published, Refusal, RetryPolicy, retrying};

/// Time limit for requests in flight once the run has ended early.
const DRAIN: Duration = Duration::from_secs(3);

/// Options of a run.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The server.
    pub client: Client,
    /// The most requests in flight.
    pub concurrency: usize,
    /// The retry policy of each request.
    pub retry: RetryPolicy,
    /// Whether invalid events are skipped instead of ending the run.
    pub skip_invalid: bool,
}

/// The totals of the responses so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acknowledged requests.
    pub requests: u64,
    /// Events in those requests.
    pub sent: u64,
    /// Valid events, as counted by the server.
    pub received: u64,
    /// New events.
    pub stored: u64,
    /// Duplicates, conflicts included.
    pub duplicates: u64,
    /// Conflicts.
    pub conflicts: u64,
    /// Events that the server skipped.
    pub invalid: u64,
    /// Input that was skipped without sending it, because it is not JSON.
    pub unreadable: u64,
    /// Retries.
    pub retries: u64,
    /// Bytes of input in the acknowledged requests.
    pub input_bytes: u64,
}

impl Tally {
    /// Whether every event that was sent is accounted for exactly once.
    pub fn reconciles(&self) -> bool {
        self.sent == self.received + self.invalid
            && self.received == self.stored + self.duplicates
            && self.conflicts <= self.duplicates
    }

    fn add(&mut self, batch: &Batch, answer: &Published) {
        self.requests += 1;
        self.sent += batch.events();
        self.received += answer.received;
        self.stored += answer.stored;
        self.duplicates += answer.duplicates;
        self.conflicts += answer.conflicts;
        self.invalid += answer.invalid;
        self.input_bytes += batch.input_bytes;
    }
}

/// Progress of a run.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A request was acknowledged.
    Answered(&'a Tally),
    /// A request failed and will be retried.
    Retrying {
        /// The error.
        reason: &'a str,
        /// Time until the retry.
        wait: Duration,
    },
    /// Input or an event was skipped.
    Skipped {
        /// `file:line`.
        place: &'a str,
        /// The reason.
        reason: &'a str,
    },
}

/// The end of a run. `E` is the error of the reader.
#[derive(Debug)]
pub enum Ending<E> {
    /// All events were sent and acknowledged.
    Complete,
    /// The run was told to stop.
    Stopped,
    /// Input that is not JSON.
    Unreadable {
        /// `file:line`.
        place: String,
        /// The fault.
        reason: String,
    },
    /// The server refused a batch and stored nothing of it.
    Refused {
        /// The batch.
        batch: Batch,
        /// The reason.
        refusal: Refusal,
    },
    /// Reading the input failed.
    Input(E),
    /// The server is unreachable, or its response is invalid.
    Client(ClientError),
    /// A task of this library failed: a bug.
    Broken(String),
}

/// The outcome of one batch.
struct Sent {
    batch: Batch,
    retries: u64,
    result: Result<Published, ClientError>,
}

type Note = (String, Duration);

impl Publisher {
    /// Publishes the batches of `feed` until it ends, a batch fails or `stop` resolves. Then waits
    /// a moment for requests in flight.
    pub async fn run<E>(
        &self,
        mut feed: mpsc::Receiver<Feed<E>>,
        stop: impl Future<Output = ()>,
        mut observe: impl FnMut(Progress<'_>),
    ) -> (Tally, Ending<E>) {
        tokio::pin!(stop);
        let (mut tally, mut sends, mut fed) = (Tally::default(), JoinSet::new(), false);
        let (note, mut notes) = mpsc::channel::<Note>(16);
        let ending = loop {
            if fed && sends.is_empty() {
                break Ending::Complete;
            }
            tokio::select! {
                () = &mut stop => break Ending::Stopped,
                Some((reason, wait)) = notes.recv() => observe(Progress::Retrying { reason: &reason, wait }),
                Some(sent) = sends.join_next(), if !sends.is_empty() => {
                    if let Some(ending) = settle(sent, &mut tally, &mut observe) {
                        break ending;
                    }
                }
                item = feed.recv(), if !fed && sends.len() < self.concurrency.max(1) => match item {
                    None => fed = true,
                    Some(Feed::Batch(batch)) => drop(sends.spawn(self.clone().send(batch, note.clone()))),
                    Some(Feed::Invalid { place, reason }) if self.skip_invalid => {
                        tally.unreadable += 1;
                        observe(Progress::Skipped { place: &place, reason: &reason });
                    }
                    Some(Feed::Invalid { place, reason }) => break Ending::Unreadable { place, reason },
                    Some(Feed::Failed(error)) => break Ending::Input(error),
                },
            }
        };
        // Requests without a response may still be stored. That is harmless: a second run finds
        // duplicates.
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(sent) = sends.join_next().await {
                // Only the first reason to end is reported.
                let _: Option<Ending<E>> = settle(sent, &mut tally, &mut observe);
            }
        });
        let _ = drained.await;
        (tally, ending)
    }

    async fn send(self, batch: Batch, notes: mpsc::Sender<Note>) -> Sent {
        let mut retries = 0;
        let on_retry = |error: &ClientError, wait| {
            retries += 1;
            // Progress notes may be dropped.
            let _ = notes.try_send((error.to_string(), wait));
        };
        let attempt = || self.client.publish(batch.body.clone(), self.skip_invalid);
        let result = retrying(self.retry, on_retry, attempt).await;
        Sent { batch, retries, result }
    }
}

/// If there are more invalid events than the server lists: their number, and the last one listed.
fn unlisted(batch: &Batch, answer: &Published) -> Option<(String, String)> {
    let listed: BTreeSet<usize> = answer.errors.iter().filter_map(|error| error.index).collect();
    let more = answer.invalid.checked_sub(listed.len() as u64).filter(|&more| more > 0)?;
    let last = batch.place_of(batch.lines.len().checked_sub(1));
    let place = batch.place_of(listed.last().copied());
    Some((place, format!("{more} more invalid events between this one and {last}: send smaller batches to see each")))
}

/// Counts the outcome of a batch. Returns the reason if the run must end.
fn settle<E>(
    sent: Result<Sent, JoinError>,
    tally: &mut Tally,
    observe: &mut impl FnMut(Progress<'_>),
) -> Option<Ending<E>> {
    let Sent { batch, retries, result } = match sent {
        Ok(sent) => sent,
        Err(error) => return Some(Ending::Broken(error.to_string())),
    };
    tally.retries += retries;
    let answer = match result {
        Ok(answer) => answer,
        Err(ClientError::Refused(refusal)) => return Some(Ending::Refused { batch, refusal }),
        Err(error) => return Some(Ending::Client(error)),
    };
    tally.add(&batch, &answer);
    for error in &answer.errors {
        observe(Progress::Skipped { place: &batch.place_of(error.index), reason: &error.to_string() });
    }
    if let Some((place, reason)) = unlisted(&batch, &answer) {
        observe(Progress::Skipped { place: &place, reason: &reason });
    }
    observe(Progress::Answered(tally));
    None
}
