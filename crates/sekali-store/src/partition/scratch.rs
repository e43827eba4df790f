//! Memory that deciding a commit takes, kept from commit to commit.

use super::added::Added;
use super::known::Known;
use crate::hash::Fingerprint;
use crate::ids::Entry;

/// A commit of more events leaves no memory behind: some 5 MB are kept.
const KEPT_EVENTS: usize = 32 * 1024;

/// What is known of the events of a commit while it is decided.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Of all its events.
    pub(super) fingerprints: Vec<Fingerprint>,
    /// What the index has for them, as it was found.
    pub(super) found: Vec<(usize, Entry)>,
    /// The same in order.
    pub(super) known: Known,
    pub(super) added: Added,
}

impl Scratch {
    /// Empties it for a commit of so many events.
    pub(super) fn begin(&mut self, events: usize) -> &mut Self {
        if self.fingerprints.capacity() > KEPT_EVENTS.max(events) {
            *self = Self::default();
        }
        self.fingerprints.clear();
        self.fingerprints.reserve(events);
        self.found.clear();
        self.added.begin(events);
        self
    }
}
