//! Rules on payloads, which the engine cannot know, because it does not know JSON.

use crate::event::EventRef;
use crate::hash::{ContentDigest, KeyHasher};

/// How payloads are compared and described. Both functions must depend on nothing but their
/// arguments: outcomes are deterministic only if they are.
#[derive(Debug, Clone, Copy)]
pub struct ContentRules {
    /// The form that all payloads have which say the same, and no others; `None` for a payload that
    /// equals only itself. Must take time and memory in proportion to the payload.
    pub canonical: fn(payload: &[u8]) -> Option<Vec<u8>>,
    /// The payload of the event that keeps a conflicting `event`, whose key is stored as
    /// `first_seq`; at most [`crate::limits::STORED_PAYLOAD_BYTES_MAX`] bytes.
    pub evidence: fn(event: &EventRef<'_>, first_seq: u64) -> Vec<u8>,
}

impl ContentRules {
    /// Payloads are the same when their bytes are, and evidence is the payload as it came.
    pub const BYTES: Self = Self { canonical: |_| None, evidence: |event, _| event.payload.to_vec() };

    /// The digest of an event by these rules.
    pub(crate) fn digest(&self, hasher: &KeyHasher, event: &EventRef<'_>) -> ContentDigest {
        hasher.digest(event, (self.canonical)(event.payload).as_deref())
    }
}
