//! Index entries found before a commit, grouped by the event that they may match.

use crate::bucket;
use crate::error::Result;
use crate::index::Entry;
use crate::invariant::invariant;

/// The entries that were found for the events of one commit. Its memory is used again.
#[derive(Debug, Default)]
pub(super) struct IndexHits {
    entries: Vec<Entry>,
    /// For each event, where its entries end; they begin where those of the event before end.
    ends: Vec<u32>,
}

impl IndexHits {
    /// Takes what was found for the `events` events of a commit, each entry with the position of
    /// its event, in any order. Forgets the hits of the commit before.
    pub(super) fn fill(&mut self, events: usize, found: &[(usize, Entry)]) -> Result<()> {
        let Self { entries, ends } = self;
        ends.clear();
        ends.resize(events, 0);
        let blank = Entry { fingerprint: 0, seq: 0, content: 0 };
        bucket::sort(found.iter().copied(), blank, ends, entries, |hits| hits.sort_unstable_by_key(|entry| entry.seq))
    }

    /// The entries for the event at `position`, in order of seq.
    pub(super) fn of(&self, position: usize) -> Result<&[Entry]> {
        let begin = position.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before));
        let range = begin.zip(self.ends.get(position)).map(|(begin, end)| *begin as usize..*end as usize);
        let Some(hits) = range.and_then(|range| self.entries.get(range)) else {
            invariant!("an event of a commit was not looked up")
        };
        Ok(hits)
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
                hits.fill(events, &found).unwrap();
                for position in 0..events {
                    let of = found.iter().rev().filter(|(of, _)| *of == position);
                    let expected: Vec<_> = of.map(|(_, entry)| *entry).collect();
                    prop_assert_eq!(hits.of(position).unwrap(), expected);
                }
                prop_assert!(hits.of(events).is_err());
            }
        }
    }
}
