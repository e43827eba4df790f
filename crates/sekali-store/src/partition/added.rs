//! The events that a commit is about to store.

use crate::hash::{Fingerprint, HalfMap};
use crate::ids::Entry;

/// What a commit has added so far, to be found again by fingerprint. Its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Added {
    entries: Vec<Entry>,
    /// Of each entry.
    places: Vec<Place>,
    /// The last entry whose fingerprint has this lower half.
    latest: HalfMap<usize>,
}

#[derive(Debug)]
struct Place {
    /// Where its row is in the frame.
    offset: usize,
    /// The entry before whose fingerprint has the same lower half.
    earlier: Option<usize>,
}

impl Added {
    /// Begins a commit of so many events.
    pub(super) fn begin(&mut self, events: usize) {
        self.entries.clear();
        self.places.clear();
        self.latest.clear();
        self.entries.reserve(events);
        self.places.reserve(events);
        self.latest.reserve(events);
    }

    pub(super) fn push(&mut self, entry: Entry, offset: usize) {
        let earlier = self.latest.insert(lower_half(entry.fingerprint), self.entries.len());
        self.entries.push(entry);
        self.places.push(Place { offset, earlier });
    }

    /// What was added with this fingerprint, and where its row is in the frame, the latest first.
    pub(super) fn with(&self, fingerprint: Fingerprint) -> impl Iterator<Item = (&Entry, usize)> {
        let mut next = self.latest.get(&lower_half(fingerprint)).copied();
        let alike = std::iter::from_fn(move || {
            let at = next?;
            let Place { offset, earlier } = self.places.get(at)?;
            next = *earlier;
            Some((self.entries.get(at)?, *offset))
        });
        alike.filter(move |(entry, _)| entry.fingerprint == fingerprint)
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
            commits in prop::collection::vec(prop::collection::vec(0..12_u128, 0..80), 1..4), shift in prop::sample::select(vec![0, 63, 100]),
        ) {
            let mut added = Added::default();
            for raw in commits {
                added.begin(raw.len());
                let entry = |(raw, seq): (&u128, u64)| Entry { fingerprint: raw << shift, seq, content: 3 };
                let entries: Vec<_> = raw.iter().zip(1..).map(entry).collect();
                entries.iter().for_each(|entry| added.push(*entry, entry.seq as usize * 10));
                prop_assert_eq!(added.entries(), entries.clone());
                for fingerprint in (0..13).map(|raw| raw << shift) {
                    let expected: Vec<_> = entries.iter().rev().filter(|entry| entry.fingerprint == fingerprint).collect();
                    let found: Vec<_> = added.with(fingerprint).collect();
                    prop_assert_eq!(found.iter().map(|(entry, _)| *entry).collect::<Vec<_>>(), expected);
                    prop_assert!(found.iter().all(|(entry, offset)| *offset == entry.seq as usize * 10));
                }
            }
        }
    }
}
