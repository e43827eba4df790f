//! Memory that looking up events takes, kept from one time to the next.

use super::index_hits::IndexHits;
use crate::batch::Batch;
use crate::comparisons::Comparisons;
use crate::error::Result;
use crate::hash::Fingerprint;
use crate::index::Entry;
use crate::partition::shared::Shared;

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
    /// Finds what the index knows of the events of some batches, and of the evidence that they may
    /// become. Returns the number of events.
    ///
    /// # Errors
    /// Those of reading the index.
    pub(super) fn look_up(&mut self, shared: &Shared, batches: &[Batch]) -> Result<usize> {
        let events = batches.iter().map(Batch::len).sum();
        let Self { fingerprints, found, hits } = self.begin(events);
        fingerprints.extend(batches.iter().flat_map(Batch::events).map(|(hash, _)| hash.fingerprint));
        let evidence = batches.iter().filter_map(Batch::comparisons).flat_map(Comparisons::evidence);
        fingerprints.extend(evidence.map(|evidence| evidence.fingerprint));
        shared.index.look_up(fingerprints, found)?;
        hits.fill(fingerprints.len(), found)?;
        Ok(events)
    }

    /// Empties it for so many events.
    fn begin(&mut self, events: usize) -> &mut Self {
        if self.fingerprints.capacity() > KEPT_EVENTS.max(events) {
            *self = Self::default();
        }
        self.fingerprints.clear();
        self.fingerprints.reserve(events);
        self.found.clear();
        self
    }
}
