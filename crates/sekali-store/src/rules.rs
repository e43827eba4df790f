//! What the engine cannot know about payloads, because it does not know JSON.

use crate::event::EventRef;

/// How payloads are compared and described. Both functions must depend on nothing but their
/// arguments: outcomes are deterministic only if they are.
#[derive(Debug, Clone, Copy)]
pub struct ContentRules {
    /// Whether two payloads, whose bytes differ, say the same.
    pub same_payload: fn(stored: &[u8], incoming: &[u8]) -> bool,
    /// The payload of the event that keeps a conflicting `event`, whose key is stored as
    /// `first_seq`; at most [`crate::limits::STORED_PAYLOAD_BYTES_MAX`] bytes.
    pub evidence: fn(event: &EventRef<'_>, first_seq: u64) -> Vec<u8>,
}

impl ContentRules {
    /// Payloads are the same when their bytes are, and evidence is the payload as it came.
    pub const BYTES: Self = Self { same_payload: |_, _| false, evidence: |event, _| event.payload.to_vec() };
}
