//! Publishing many batches: a few requests in flight, each retried until it is answered.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use crate::{Batch, Client, ClientError, Feed, Published, Refusal, RetryPolicy, retrying};

/// How long requests that are under way may take once the run has ended early.
const DRAIN: Duration = Duration::from_secs(3);

/// How to publish.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// Where to.
    pub client: Client,
    /// Most requests in flight.
    pub concurrency: usize,
    /// How patiently a request is retried.
    pub retry: RetryPolicy,
    /// Whether invalid events are passed over instead of ending the run.
    pub skip_invalid: bool,
}

/// What the server has answered so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were answered.
    pub requests: u64,
    /// Events in those requests.
    pub sent: u64,
    /// Valid events, by the server's word.
    pub received: u64,
    /// New ones.
    pub stored: u64,
    /// Known ones, conflicts among them.
    pub duplicates: u64,
    /// Known ones with different content.
    pub conflicts: u64,
    /// Events the server passed over.
    pub invalid: u64,
    /// What was passed over without sending it, because it is not even JSON.
    pub unreadable: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Input that the answered requests were made of, in bytes.
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

/// What happens along the way.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A request was answered.
    Answered(&'a Tally),
    /// A request failed and will be tried again.
    Retrying {
        /// Why it failed.
        reason: &'a str,
        /// When it will be tried again.
        wait: Duration,
    },
    /// Something was passed over.
    Skipped {
        /// `file:line`.
        place: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// How a run ended. `E` is why reading the input failed.
#[derive(Debug)]
pub enum Ending<E> {
    /// All was sent and answered.
    Complete,
    /// It was asked to stop.
    Stopped,
    /// Input that is not even JSON.
    Unreadable {
        /// `file:line`.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The server refused a batch; nothing of that one is stored.
    Refused {
        /// The batch.
        batch: Batch,
        /// Why.
        refusal: Refusal,
    },
    /// Reading failed.
    Input(E),
    /// The server cannot be reached, or makes no sense.
    Client(ClientError),
    /// A task of our own failed: a bug.
    Broken(String),
}

/// What became of one batch.
struct Sent {
    batch: Batch,
    retries: u64,
    result: Result<Published, ClientError>,
}

type Note = (String, Duration);

impl Publisher {
    /// Publishes what `feed` brings until it ends, something fails or `stop` resolves; then waits a moment for what
    /// is under way.
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
        // Unanswered requests may still be stored; that is harmless, and a second run finds them as duplicates.
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(sent) = sends.join_next().await {
                // Only the first reason to end is told.
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
            // Nobody needs every note.
            let _ = notes.try_send((error.to_string(), wait));
        };
        let attempt = || self.client.publish(batch.body.clone(), self.skip_invalid);
        let result = retrying(self.retry, on_retry, attempt).await;
        Sent { batch, retries, result }
    }
}

/// Where there are more invalid events than the server lists: how many, and after which one.
fn unlisted(batch: &Batch, answer: &Published) -> Option<(String, String)> {
    let listed: BTreeSet<usize> = answer.errors.iter().filter_map(|error| error.index).collect();
    let more = answer.invalid.checked_sub(listed.len() as u64).filter(|&more| more > 0)?;
    let last = batch.place_of(batch.lines.len().checked_sub(1));
    let place = batch.place_of(listed.last().copied());
    Some((place, format!("{more} more invalid events between this one and {last}: send smaller batches to see each")))
}

/// Counts what became of a batch; returns the reason if the run must end.
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
