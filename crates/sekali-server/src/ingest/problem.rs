//! The errors of a body.

use crate::limits::PROBLEMS_LISTED_MAX;

/// Why a body was refused; nothing of it is stored.
#[derive(Debug, PartialEq, Eq)]
pub enum IngestError {
    /// The text is not JSON.
    NotJson {
        /// Line of the body, from 1.
        line: usize,
        /// Byte of the line, from 1.
        column: usize,
        /// The problem at that place.
        reason: String,
    },
    /// More than [`BATCH_EVENTS_MAX`](sekali_wire::limits::BATCH_EVENTS_MAX) events.
    TooManyEvents,
    /// JSON, but not all of it valid events.
    Invalid(Rejected),
    /// A valid event is of a topic that the client may not publish to; the first such event is
    /// named.
    Forbidden {
        /// The index of the event in the request, from 0.
        index: usize,
        /// Its topic.
        topic: String,
    },
}

/// One problem of one event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The index of the event in the request, from 0.
    pub index: usize,
    /// The field; empty for the event as a whole.
    pub field: String,
    /// The problem and the remedy.
    pub reason: String,
    /// Whether it is only too large.
    #[serde(skip)]
    pub too_large: bool,
}

/// The invalid events of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// How many events are invalid.
    pub events: usize,
    /// Their problems, in request order; the first [`PROBLEMS_LISTED_MAX`].
    pub problems: Vec<Problem>,
    /// The number of further problems.
    pub unlisted: usize,
    /// Whether some problem is more than an event being too large.
    pub malformed: bool,
    last: Option<usize>,
}

impl Rejected {
    /// Notes a problem. Problems come in the order of their events.
    pub(super) fn note(&mut self, problem: Problem) {
        if self.last != Some(problem.index) {
            self.last = Some(problem.index);
            self.events += 1;
        }
        self.malformed |= !problem.too_large;
        if self.problems.len() < PROBLEMS_LISTED_MAX {
            self.problems.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// Whether all events are valid.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }
}

/// Shortens text from a client for use in a message.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 64;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
