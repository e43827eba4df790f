//! Publishes many batches: a few requests in flight, each retried until it is acknowledged.

mod known;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

pub(crate) use known::Key;
use known::{Keep, Kept, keep};

use crate::{Batch, Client, ClientError, Feed, Published, Refusal, RefusedEvent, RetryPolicy, retrying};

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
    /// Whether the server is asked for the keys of events first, and only those are sent that it
    /// does not know.
    pub only_new: bool,
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
    /// Rows of the input that were skipped without sending them, because they are not events.
    pub unreadable: u64,
    /// Faults of the input, with those that cost no row.
    pub flaws: u64,
    /// Events that were not sent, because the server knows their keys.
    pub known: u64,
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
    /// A file cannot be read any further; the next one follows.
    Failed(&'a str),
}

/// The end of a run. `E` is the error of the reader.
#[derive(Debug)]
pub enum Ending<E> {
    /// All events were sent and acknowledged.
    Complete,
    /// The run was told to stop.
    Stopped,
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
    Client {
        /// The last error.
        error: ClientError,
        /// Time from the first failure to giving up.
        retried_for: Duration,
    },
    /// A task of this library failed: a bug.
    Broken(String),
}

/// The outcome of one batch.
struct Sent {
    batch: Batch,
    retries: u64,
    retried_for: Duration,
    /// The events left out of it, as `file:line`, and why.
    left_out: Vec<(String, String)>,
    /// Number of events that were left out because they are known.
    known: u64,
    result: Result<Published, ClientError>,
}

type Note = (String, Duration);

impl Publisher {
    /// Publishes the batches of `feed` until it ends, a batch fails or `stop` resolves. Then waits
    /// a moment for requests in flight.
    pub async fn run<E: std::fmt::Display>(
        &self,
        mut feed: mpsc::Receiver<Feed<E>>,
        stop: impl Future<Output = ()>,
        mut observe: impl FnMut(Progress<'_>),
    ) -> (Tally, Ending<E>) {
        tokio::pin!(stop);
        let (mut tally, mut sends, mut fed) = (Tally::default(), JoinSet::new(), false);
        let (note, mut notes) = mpsc::channel::<Note>(16);
        let mut failure = None;
        let mut next: Option<Batch> = None;
        let ending = loop {
            // Evidence comes behind everything that was read before it, since that may be what it
            // conflicts with.
            if let Some(batch) = next.take_if(|batch| !batch.evidence || sends.is_empty()) {
                sends.spawn(self.clone().send(batch, note.clone()));
            }
            if fed && sends.is_empty() && next.is_none() {
                break failure.map_or(Ending::Complete, Ending::Input);
            }
            tokio::select! {
                () = &mut stop => break Ending::Stopped,
                Some((reason, wait)) = notes.recv() => observe(Progress::Retrying { reason: &reason, wait }),
                Some(sent) = sends.join_next(), if !sends.is_empty() => {
                    if let Some(ending) = settle(sent, &mut tally, &mut observe) {
                        break ending;
                    }
                }
                item = feed.recv(), if !fed && next.is_none() && sends.len() < self.concurrency.max(1) => match item {
                    None => break Ending::Broken("reading broke off, and events may be missing".to_owned()),
                    Some(Feed::End) => fed = true,
                    Some(Feed::Batch(batch)) => next = Some(batch),
                    Some(Feed::Invalid { place, rows, reason }) => {
                        tally.unreadable += rows;
                        tally.flaws += 1;
                        observe(Progress::Skipped { place: &place, reason: &reason });
                    }
                    // What was read before it is under way.
                    Some(Feed::Failed(error)) if !self.skip_invalid => {
                        fed = true;
                        failure = Some(error);
                    }
                    Some(Feed::Failed(error)) => {
                        tally.flaws += 1;
                        match &failure {
                            Some(_) => observe(Progress::Failed(&error.to_string())),
                            None => failure = Some(error),
                        }
                    }
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

    async fn send(self, mut batch: Batch, notes: mpsc::Sender<Note>) -> Sent {
        let (mut retries, mut first_failure) = (0, None);
        let mut on_retry = |error: &ClientError, wait| {
            retries += 1;
            first_failure.get_or_insert_with(Instant::now);
            // Progress notes may be dropped.
            let _ = notes.try_send((error.to_string(), wait));
        };
        let (mut left_out, mut known) = (Vec::new(), 0);
        let mut result = Ok(());
        let wanted = match (batch.evidence, self.only_new) {
            (true, _) => Some(Keep::Known),
            (false, true) => Some(Keep::Unknown),
            (false, false) => None,
        };
        if let Some(wanted) = wanted {
            match retrying(self.retry, &mut on_retry, || keep(&self.client, &batch, wanted)).await {
                Ok(kept) => (Kept { batch, unfit: left_out, known }) = kept,
                Err(error) => result = Err(error),
            }
        }
        let attempt = || self.client.publish(batch.body.clone(), self.skip_invalid);
        let result = match result {
            Ok(()) if batch.lines.is_empty() => Ok(Published::default()),
            Ok(()) => retrying(self.retry, &mut on_retry, attempt).await,
            Err(error) => Err(error),
        };
        let retried_for = first_failure.map_or(Duration::ZERO, |first| first.elapsed());
        Sent { batch, retries, retried_for, left_out, known, result }
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
    let Sent { batch, retries, retried_for, left_out, known, result } = match sent {
        Ok(sent) => sent,
        Err(error) => return Some(Ending::Broken(error.to_string())),
    };
    tally.retries += retries;
    let answer = match result {
        Ok(answer) => answer,
        Err(ClientError::Refused(mut refusal)) => {
            say_what_was_read(&batch, &mut refusal.events);
            return Some(Ending::Refused { batch, refusal });
        }
        Err(error) => return Some(Ending::Client { error, retried_for }),
    };
    tally.add(&batch, &answer);
    tally.known += known;
    tally.unreadable += left_out.len() as u64;
    tally.flaws += answer.invalid + left_out.len() as u64;
    for (place, reason) in &left_out {
        observe(Progress::Skipped { place, reason });
    }
    for error in &answer.errors {
        observe(Progress::Skipped { place: &batch.place_of(error.index), reason: &error.to_string() });
    }
    if let Some((place, reason)) = unlisted(&batch, &answer) {
        observe(Progress::Skipped { place: &place, reason: &reason });
    }
    observe(Progress::Answered(tally));
    None
}

/// Replaces the server's reason for an event that was unreadable here by the reason found here.
fn say_what_was_read(batch: &Batch, events: &mut Vec<RefusedEvent>) {
    for (index, reason) in &batch.bad {
        let is_of_it = |event: &RefusedEvent| event.index == Some(*index);
        let at = events.iter().position(is_of_it).unwrap_or(events.len());
        events.retain(|event| !is_of_it(event));
        let event = RefusedEvent { index: Some(*index), field: None, reason: reason.clone() };
        events.insert(at.min(events.len()), event);
    }
    events.sort_by_key(|event| event.index);
}
