//! The events that a commit is about to store.

use super::lookup_buffers::KEPT_EVENTS;
use crate::error::Result;
use crate::hash::{Fingerprint, HalfMap};
use crate::index::Entry;
use crate::invariant::invariant;

/// Keys that a commit has added so far, found by fingerprint. The memory is reused.
#[derive(Debug, Default)]
pub(super) struct PendingKeys {
    entries: Vec<Entry>,
    /// Of each entry.
    places: Vec<RowPlace>,
    /// The last entry whose fingerprint has this lower half.
    latest: HalfMap<usize>,
}

#[derive(Debug)]
struct RowPlace {
    /// Where its row is in the frame.
    offset: usize,
    /// The entry before whose fingerprint has the same lower half.
    earlier: Option<usize>,
}

impl PendingKeys {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.entries.capacity() > KEPT_EVENTS {
            *self = Self::default();
        }
        self.entries.clear();
        self.places.clear();
        self.latest.clear();
    }

    /// Expects so many more events.
    pub(super) fn reserve(&mut self, events: usize) {
        self.entries.reserve(events);
        self.places.reserve(events);
        self.latest.reserve(events);
    }

    /// Forgets all but the first `len` entries.
    pub(super) fn truncate(&mut self, len: usize) {
        for (entry, place) in self.entries.drain(len..).zip(self.places.drain(len..)).rev() {
            let lower_half = lower_half(entry.fingerprint);
            match place.earlier {
                Some(earlier) => self.latest.insert(lower_half, earlier),
                None => self.latest.remove(&lower_half),
            };
        }
    }

    pub(super) fn push(&mut self, entry: Entry, offset: usize) {
        let earlier = self.latest.insert(lower_half(entry.fingerprint), self.entries.len());
        self.entries.push(entry);
        self.places.push(RowPlace { offset, earlier });
    }

    /// The latest key whose fingerprint has the same lower half, to begin [`PendingKeys::next`]
    /// with.
    pub(super) fn latest(&self, fingerprint: Fingerprint) -> Option<usize> {
        self.latest.get(&lower_half(fingerprint)).copied()
    }

    /// The next key from `at` back that has this fingerprint, and the offset of its row in the
    /// frame. Moves `at` behind it.
    pub(super) fn next(&self, at: &mut Option<usize>, fingerprint: Fingerprint) -> Result<Option<(&Entry, usize)>> {
        while let Some(number) = *at {
            let key = self.entries.get(number).zip(self.places.get(number));
            let Some((entry, place)) = key else { invariant!("a key of a commit leads to no row") };
            *at = place.earlier;
            if entry.fingerprint == fingerprint {
                return Ok(Some((entry, place.offset)));
            }
        }
        Ok(None)
    }

    /// Everything that was added, in order of seq.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn lower_half(fingerprint: Fingerprint) -> u64 {
    fingerprint as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fingerprints_with_one_lower_half_are_kept_apart(
            commits in prop::collection::vec((prop::collection::vec(0..12_u128, 0..80), 0..80_usize), 1..4),
            shift in prop::sample::select(vec![0, 63, 100]),
        ) {
            let mut keys = PendingKeys::default();
            for (raw, kept) in commits {
                keys.clear();
                keys.reserve(raw.len());
                let entry = |(raw, seq): (&u128, u64)| Entry { fingerprint: raw << shift, seq, content: 3 };
                let mut entries: Vec<_> = raw.iter().zip(1..).map(entry).collect();
                entries.iter().for_each(|entry| keys.push(*entry, entry.seq as usize * 10));
                keys.truncate(kept.min(entries.len()));
                entries.truncate(kept);
                prop_assert_eq!(keys.entries(), entries.clone());
                for fingerprint in (0..13).map(|raw| raw << shift) {
                    let expected: Vec<_> = entries.iter().rev().filter(|entry| entry.fingerprint == fingerprint).collect();
                    let mut at = keys.latest(fingerprint);
                    let found: Vec<_> = std::iter::from_fn(|| keys.next(&mut at, fingerprint).unwrap()).collect();
                    prop_assert_eq!(found.iter().map(|(entry, _)| *entry).collect::<Vec<_>>(), expected);
                    prop_assert!(found.iter().all(|(entry, offset)| *offset == entry.seq as usize * 10));
                }
            }
        }
    }
}
