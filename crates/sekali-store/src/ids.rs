//! The dedup index: from the fingerprint of a key to where its event is stored.

use crate::hash::{ContentHash, Fingerprint};

/// What the index knows of one stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Hash of its key.
    pub fingerprint: Fingerprint,
    /// Where it is stored.
    pub seq: u64,
    /// Hash of its key and content.
    pub content: ContentHash,
}
