//! A set of seqs, as ranges.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Seqs as disjoint ranges that do not touch: from the first seq of each to its last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeqSet(BTreeMap<u64, u64>);

impl SeqSet {
    /// Whether there is no seq.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of seqs.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// The ranges, in order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u64>> + '_ {
        self.0.iter().map(|(&first, &last)| first..=last)
    }

    /// Whether `seq` is in the set.
    pub(crate) fn contains(&self, seq: u64) -> bool {
        self.0.range(..=seq).next_back().is_some_and(|(_, &last)| seq <= last)
    }

    /// Adds a range, which may be empty.
    pub(crate) fn insert(&mut self, seqs: RangeInclusive<u64>) {
        let (mut first, mut last) = seqs.into_inner();
        if first > last {
            return;
        }
        // Ranges that overlap or touch become one. They are the last that begin before the end.
        while let Some((&from, &to)) = self.0.range(..=last.saturating_add(1)).next_back() {
            if to.saturating_add(1) < first {
                break;
            }
            self.0.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.0.insert(first, last);
    }

    /// The parts of a range that are not in the set, in order.
    pub(crate) fn missing(&self, seqs: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
        let (mut first, last) = seqs.into_inner();
        let mut missing = Vec::new();
        for (&from, &to) in &self.within(first..=last).0 {
            if first < from {
                missing.push(first..=from - 1);
            }
            match to.checked_add(1) {
                Some(next) => first = next,
                None => return missing,
            }
        }
        if first <= last {
            missing.push(first..=last);
        }
        missing
    }

    /// The part of the set that is in a range.
    pub(crate) fn within(&self, seqs: RangeInclusive<u64>) -> Self {
        let (first, last) = seqs.into_inner();
        if first > last {
            return Self::default();
        }
        let before = self.0.range(..first).next_back().filter(|(_, to)| **to >= first);
        let ranges = before.into_iter().chain(self.0.range(first..=last));
        Self(ranges.map(|(&from, &to)| (from.max(first), to.min(last))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEQS: u64 = 64;

    fn range() -> impl Strategy<Value = RangeInclusive<u64>> {
        (0..SEQS, 0..12_u64).prop_map(|(first, len)| first..=(first + len).saturating_sub(1).min(SEQS - 1))
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_bits(inserted in prop::collection::vec(range(), 0..20), asked in range()) {
            let (mut set, mut bits) = (SeqSet::default(), 0_u64);
            for seqs in inserted {
                seqs.clone().for_each(|seq| bits |= 1 << seq);
                set.insert(seqs);
                prop_assert!((0..SEQS).all(|seq| set.contains(seq) == (bits & 1 << seq != 0)));
                let apart = set.0.iter().zip(set.0.iter().skip(1)).all(|((_, last), (next, _))| last + 1 < *next);
                prop_assert!(apart, "ranges overlap or touch: {set:?}");
            }
            let missing: Vec<u64> = set.missing(asked.clone()).into_iter().flatten().collect();
            prop_assert_eq!(missing, asked.clone().filter(|seq| bits & 1 << seq == 0).collect::<Vec<_>>());
            let within = set.within(asked.clone());
            prop_assert!((0..SEQS).all(|seq| within.contains(seq) == (set.contains(seq) && asked.contains(&seq))));
        }
    }

    #[test]
    fn the_ends_of_all_seqs_do_not_overflow() {
        let mut set = SeqSet::default();
        set.insert(u64::MAX - 1..=u64::MAX);
        set.insert(0..=1);
        assert_eq!(set.missing(0..=u64::MAX), [2..=u64::MAX - 2]);
        set.insert(0..=u64::MAX);
        assert_eq!(set.missing(0..=u64::MAX), []);
    }
}
