//! Memory that looking up events takes, kept from one time to the next.

use super::index_hits::IndexHits;
use crate::hash::Fingerprint;
use crate::index::Entry;

/// Largest number of events for which buffers are kept: some 3 MB here, and as much for the keys
/// that a commit adds. Larger ones are freed.
pub(super) const KEPT_EVENTS: usize = 32 * 1024;

/// Look-ups of some events of a commit while they are decided.
#[derive(Debug, Default)]
pub(super) struct LookupBuffers {
    /// Of all of them.
    pub(super) fingerprints: Vec<Fingerprint>,
    /// Index entries for them, in the order in which they were found.
    pub(super) found: Vec<(usize, Entry)>,
    /// The same in order.
    pub(super) hits: IndexHits,
}

impl LookupBuffers {
    /// Empties it for so many events.
    pub(super) fn begin(&mut self, events: usize) -> &mut Self {
        if self.fingerprints.capacity() > KEPT_EVENTS.max(events) {
            *self = Self::default();
        }
        self.fingerprints.clear();
        self.fingerprints.reserve(events);
        self.found.clear();
        self
    }
}
