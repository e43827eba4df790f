//! The dedup index: from the fingerprint of a key to where its event is stored.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use crate::error::Result;
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

/// The index, in memory, rebuilt from the log at every start.
#[derive(Debug, Default)]
pub struct Index(RwLock<BTreeSet<Entry>>);

impl Index {
    /// Finds every entry with one of these fingerprints, each with the position of its fingerprint.
    pub fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) -> Result<()> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (position, &fingerprint) in fingerprints.iter().enumerate() {
            let first = Entry { fingerprint, seq: 0, content: 0 };
            let last = Entry { fingerprint, seq: u64::MAX, content: u64::MAX };
            found.extend(entries.range(first..=last).map(|entry| (position, *entry)));
        }
        Ok(())
    }

    /// Adds entries that are durable in the log.
    pub fn insert(&self, entries: &[Entry]) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(entries);
    }

    /// Every entry up to this seq needs no replay.
    pub fn covered_seq(&self) -> u64 {
        0
    }
}
