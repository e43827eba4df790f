//! An entry of the index.

use crate::hash::{ContentHash, Fingerprint};

/// The key and the place of one stored event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Hash of its key.
    pub fingerprint: Fingerprint,
    /// Its position in the partition.
    pub seq: u64,
    /// Hash of its key and content.
    pub content: ContentHash,
}

/// The upper half of a fingerprint: the key of filters and fences, by which entries are also
/// sorted.
pub(super) fn filter_key(fingerprint: Fingerprint) -> u64 {
    (fingerprint >> 64) as u64
}
