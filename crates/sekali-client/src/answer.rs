//! What a server answers, as far as the client looks at it.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The answer to a publish request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Published {
    /// Valid events of the request.
    pub received: u64,
    /// How many were new.
    pub stored: u64,
    /// How many were known, conflicts among them.
    pub duplicates: u64,
    /// How many were known with different content.
    pub conflicts: u64,
    /// How many were passed over, if that was asked for.
    #[serde(default)]
    pub invalid: u64,
    /// Which ones, and why.
    #[serde(default)]
    pub errors: Vec<RefusedEvent>,
}

/// Why one event of a request is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RefusedEvent {
    /// Its place in the request, from 0.
    #[serde(default)]
    pub index: Option<usize>,
    /// The field that is wrong.
    #[serde(default)]
    pub field: Option<String>,
    /// What is wrong with it.
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
    /// JSON texts.
    pub events: Vec<Box<RawValue>>,
    /// Where the next page begins, if there may be one.
    pub next: Option<String>,
}

/// The body of every error answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) errors: Vec<RefusedEvent>,
}
