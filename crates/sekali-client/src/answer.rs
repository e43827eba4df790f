//! Responses of a server, as far as the client reads them.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The response to a publish request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Published {
    /// Valid events of the request.
    pub received: u64,
    /// New events.
    pub stored: u64,
    /// Duplicates, conflicts included.
    pub duplicates: u64,
    /// Conflicts.
    pub conflicts: u64,
    /// Skipped events, if skipping was requested.
    #[serde(default)]
    pub invalid: u64,
    /// The skipped events, with reasons.
    #[serde(default)]
    pub errors: Vec<RefusedEvent>,
}

/// The reason that one event of a request is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RefusedEvent {
    /// The event's position in the request, from 0.
    #[serde(default)]
    pub index: Option<usize>,
    /// The invalid field.
    #[serde(default)]
    pub field: Option<String>,
    /// The fault of the field.
    #[serde(default)]
    pub reason: String,
}

impl std::fmt::Display for RefusedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) if !field.is_empty() => write!(f, "{field}: {}", self.reason),
            _ => f.write_str(&self.reason),
        }
    }
}

/// One page of events, each as the server wrote it.
#[derive(Debug)]
pub struct EventsPage {
    /// The events as JSON text.
    pub events: Vec<Box<RawValue>>,
    /// The cursor of the next page, if there may be one.
    pub next: Option<String>,
}

/// The body of every error response.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    /// Tells an answer of a Sekali server from another one in JSON.
    #[serde(rename = "code")]
    pub(super) _code: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) errors: Vec<RefusedEvent>,
}
