//! The outcome of each event, as `verbose=true` asks for them: a list that may be as long as the
//! request, made piece by piece as the client takes it.

use std::iter::Zip;
use std::vec::IntoIter;

use bytes::Bytes;
use hyper::Response;
use sekali_store::{Outcome, Preview};
use serde::Serialize;

use super::PublishAnswer;
use crate::clients::{Client, FairShares, HeldShare};
use crate::http::answer::{ApiError, Body, BrokenOff, json_text};
use crate::ingest::Accepted;
use crate::limits::SMALL_BYTES_MAX;
use crate::query::QueryError;

/// A list is made in pieces of about this many bytes.
const PIECE_BYTES: usize = 32 * 1024;
/// Bytes that the allocator adds to a key.
const KEY_OVERHEAD_BYTES: usize = 32;

/// The outcome of an event, or of a dry run of it, with the seq of the stored one, if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) enum EventOutcome {
    Stored(Option<u64>),
    Duplicate(Option<u64>),
    Conflict(Option<u64>),
}

impl From<Outcome> for EventOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Stored { seq } => Self::Stored(Some(seq)),
            Outcome::Duplicate { seq } => Self::Duplicate(Some(seq)),
            Outcome::Conflict { seq } => Self::Conflict(Some(seq)),
        }
    }
}

impl From<Preview> for EventOutcome {
    fn from(preview: Preview) -> Self {
        match preview {
            Preview::New => Self::Stored(None),
            Preview::Duplicate { seq } => Self::Duplicate(seq),
            Preview::Conflict { seq } => Self::Conflict(seq),
        }
    }
}

/// Takes the memory of the keys and outcomes of a request.
///
/// # Errors
/// `overloaded`: there is not so much for this client.
pub(super) fn reserve(answers: &FairShares, client: Client, accepted: &Accepted) -> Result<HeldShare, ApiError> {
    let of_key = |(topic, event_id): &(String, String)| {
        topic.capacity()
            + event_id.capacity()
            + size_of::<(String, String)>()
            + KEY_OVERHEAD_BYTES
            + size_of::<EventOutcome>()
    };
    let mut memory = answers.hold(client);
    if memory.resize(accepted.keys.iter().map(of_key).sum()) { Ok(memory) } else { Err(QueryError::AnswersFull.into()) }
}

/// The answer with the counts, and behind them the list.
pub(super) fn answer(
    counts: &PublishAnswer,
    keys: Vec<(String, String)>,
    outcomes: Vec<EventOutcome>,
    memory: HeldShare,
) -> Response<Body> {
    let mut head = match serde_json::to_vec(counts) {
        Ok(head) => head,
        Err(error) => return ApiError::internal(&error).into_response(),
    };
    // The list is the last member.
    head.pop();
    head.extend_from_slice(b",\"events\":[");
    let is_small = memory.bytes() <= SMALL_BYTES_MAX;
    let events = keys.into_iter().zip(outcomes);
    let mut list = OutcomeList { text: head, events, is_first: true, is_done: false, _memory: memory };
    if !is_small {
        return json_text(Body::made(Box::new(move || list.piece(PIECE_BYTES))));
    }
    match list.piece(usize::MAX) {
        Some(Ok(whole)) => json_text(whole),
        Some(Err(error)) => ApiError::internal(&*error).into_response(),
        None => json_text(Bytes::new()),
    }
}

/// The rest of a list.
struct OutcomeList {
    /// The text before it.
    text: Vec<u8>,
    events: Zip<IntoIter<(String, String)>, IntoIter<EventOutcome>>,
    is_first: bool,
    is_done: bool,
    _memory: HeldShare,
}

#[derive(Debug, Serialize)]
struct EventAnswer<'a> {
    topic: &'a str,
    event_id: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl OutcomeList {
    /// The next piece, which ends with the event that reaches so many bytes.
    fn piece(&mut self, bytes: usize) -> Option<Result<Bytes, BrokenOff>> {
        if self.is_done {
            return None;
        }
        let mut text = std::mem::take(&mut self.text);
        while text.len() < bytes {
            let Some(((topic, event_id), outcome)) = self.events.next() else {
                text.extend_from_slice(b"]}\n");
                self.is_done = true;
                break;
            };
            if !std::mem::replace(&mut self.is_first, false) {
                text.push(b',');
            }
            let answer = EventAnswer::new(&topic, &event_id, outcome);
            if let Err(error) = serde_json::to_writer(&mut text, &answer) {
                self.is_done = true;
                return Some(Err(error.into()));
            }
        }
        Some(Ok(text.into()))
    }
}

impl<'a> EventAnswer<'a> {
    fn new(topic: &'a str, event_id: &'a str, outcome: EventOutcome) -> Self {
        let (outcome, seq) = match outcome {
            EventOutcome::Stored(seq) => ("stored", seq),
            EventOutcome::Duplicate(seq) => ("duplicate", seq),
            EventOutcome::Conflict(seq) => ("conflict", seq),
        };
        Self { topic, event_id, outcome, seq }
    }
}
