//! What the index knew before a commit, by the event of the commit that it is about.

use crate::index::Entry;

/// The entries that were found for the events of one commit. Its memory is used again.
#[derive(Debug, Default)]
pub(super) struct IndexHits {
    entries: Vec<Entry>,
    /// For each event, where its entries end; they begin where those of the event before end.
    ends: Vec<u32>,
}

impl IndexHits {
    /// Takes what was found for a commit of so many events, with the position of the event among them, in any order.
    /// What it knew before is forgotten.
    pub(super) fn fill(&mut self, events: usize, found: &[(usize, Entry)]) {
        let Self { entries, ends } = self;
        ends.clear();
        ends.resize(events, 0);
        for &(position, _) in found {
            if let Some(count) = ends.get_mut(position) {
                *count += 1;
            }
        }
        let mut begin = 0;
        for end in ends.iter_mut() {
            // Where the entries begin; it moves to where they end as they come in.
            begin += std::mem::replace(end, begin);
        }
        entries.clear();
        entries.resize(found.len(), Entry { fingerprint: 0, seq: 0, content: 0 });
        for &(position, entry) in found {
            let end = ends.get_mut(position);
            if let Some((end, slot)) = end.and_then(|end| entries.get_mut(*end as usize).map(|slot| (end, slot))) {
                *slot = entry;
                *end += 1;
            }
        }
        let mut begin = 0;
        for &mut end in ends {
            // Nearly always there is one, or none.
            if end - begin > 1 {
                entries
                    .get_mut(begin as usize..end as usize)
                    .unwrap_or_default()
                    .sort_unstable_by_key(|entry| entry.seq);
            }
            begin = end;
        }
    }

    /// What was found for the event at `position`, in order of seq.
    pub(super) fn of(&self, position: usize) -> &[Entry] {
        let end = self.ends.get(position).copied().unwrap_or(0);
        let begin = position.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.entries.get(begin as usize..end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_event_gets_its_entries_in_order_of_seq(
            commits in prop::collection::vec((1..40_usize, prop::collection::vec(any::<prop::sample::Index>(), 0..60)), 1..4),
        ) {
            let mut hits = IndexHits::default();
            for (events, at) in commits {
                // Seqs descend, so that they come in the wrong order.
                let entry = |seq| Entry { fingerprint: 1, seq, content: seq ^ 5 };
                let found: Vec<_> = at.iter().map(|at| at.index(events)).zip((1..=60).rev().map(entry)).collect();
                hits.fill(events, &found);
                for position in 0..events {
                    let of = found.iter().rev().filter(|(of, _)| *of == position);
                    let expected: Vec<_> = of.map(|(_, entry)| *entry).collect();
                    prop_assert_eq!(hits.of(position), expected);
                }
                prop_assert_eq!(hits.of(events), []);
            }
        }
    }
}
