//! A set of rows of a row group.

use std::ops::Range;

/// A set of rows, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSet {
    words: Vec<u64>,
    rows: u32,
}

impl RowSet {
    /// None of so many rows.
    pub(crate) fn none(rows: u32) -> Self {
        Self { words: vec![0; rows.div_ceil(u64::BITS) as usize], rows }
    }

    /// All of so many rows.
    pub(crate) fn all(rows: u32) -> Self {
        let mut set = Self { words: vec![u64::MAX; rows.div_ceil(u64::BITS) as usize], rows };
        let rest = rows % u64::BITS;
        if let Some(last) = set.words.last_mut().filter(|_| rest > 0) {
            *last = (1 << rest) - 1;
        }
        set
    }

    /// The rows whose code, of all rows in order, has a verdict in `table` that `is_in` accepts.
    pub(crate) fn by_codes<V: Copy>(codes: &[u16], table: &[V], is_in: impl Fn(V) -> bool) -> Self {
        let table: Vec<bool> = table.iter().map(|&verdict| is_in(verdict)).collect();
        let word = |codes: &[u16]| {
            let bit = |code: &u16| u64::from(table.get(usize::from(*code)).copied().unwrap_or(true));
            codes.iter().rev().fold(0, |word, code| word << 1 | bit(code))
        };
        Self { words: codes.chunks(u64::BITS as usize).map(word).collect(), rows: codes.len() as u32 }
    }

    pub(crate) fn insert(&mut self, row: u32) {
        if let Some(word) = self.words.get_mut((row / u64::BITS) as usize).filter(|_| row < self.rows) {
            *word |= 1 << (row % u64::BITS);
        }
    }

    /// Takes in the rows of a range.
    pub(crate) fn insert_all(&mut self, rows: Range<u32>) {
        rows.for_each(|row| self.insert(row));
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        self.words.get((row / u64::BITS) as usize).is_some_and(|word| word >> (row % u64::BITS) & 1 == 1)
    }

    /// Whether a row is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(word, other)| word & other != 0)
    }

    /// Takes out the rows of `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Keeps the rows that are in `other` too.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// How many rows of a range are in it.
    pub(crate) fn count(&self, rows: Range<u32>) -> u64 {
        self.words_of(rows).map(|(_, word)| u64::from(word.count_ones())).sum()
    }

    /// The rows of a range that are in it, ascending.
    pub(crate) fn iter(&self, rows: Range<u32>) -> impl Iterator<Item = u32> {
        self.words_of(rows).flat_map(|(first, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.wrapping_sub(1);
                (bit < u64::BITS).then_some(first + bit)
            })
        })
    }

    /// The words that have the rows of a range, each with the row of its first bit; the bits of
    /// other rows are cleared.
    fn words_of(&self, rows: Range<u32>) -> impl Iterator<Item = (u32, u64)> {
        let words = rows.start / u64::BITS..rows.end.min(self.rows).div_ceil(u64::BITS);
        words.filter_map(move |number| {
            let first = number * u64::BITS;
            let mut word = *self.words.get(number as usize)?;
            word &= u64::MAX << rows.start.saturating_sub(first).min(u64::BITS - 1);
            let behind = (first + u64::BITS).saturating_sub(rows.end);
            word &= u64::MAX.checked_shr(behind).unwrap_or(0);
            Some((first, word))
        })
    }

    /// Takes in the rows of `other`.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn rows(set: &RowSet) -> BTreeSet<u32> {
        (0..set.rows + 70).filter(|&row| set.contains(row)).collect()
    }

    proptest! {
        #[test]
        fn it_is_a_set(codes in prop::collection::vec(0..4_u16, 0..200), others in prop::collection::vec(0..200_u32, 0..50), range: Range<u8>) {
            let range = u32::from(range.start)..u32::from(range.end);
            let len = codes.len() as u32;
            let by_codes = RowSet::by_codes(&codes, &[1, 2, 1, 3], |verdict| verdict > 1);
            let expected: BTreeSet<_> = (0..len).filter(|&row| codes[row as usize] % 2 == 1).collect();
            prop_assert_eq!(rows(&by_codes), expected.clone());
            let mut inserted = RowSet::none(len);
            others.iter().for_each(|&row| inserted.insert(row));
            let other: BTreeSet<_> = others.into_iter().filter(|&row| row < len).collect();
            prop_assert_eq!(rows(&inserted), other.clone());
            let (mut both, mut either) = (by_codes.clone(), by_codes.clone());
            both.intersect(&inserted);
            either.unite(&inserted);
            prop_assert_eq!(rows(&both), expected.intersection(&other).copied().collect());
            prop_assert_eq!(rows(&either), expected.union(&other).copied().collect());
            let mut first = by_codes.clone();
            first.subtract(&inserted);
            prop_assert!(!first.meets(&inserted));
            prop_assert_eq!(by_codes.meets(&inserted), !expected.is_disjoint(&other));
            prop_assert_eq!(rows(&first), expected.difference(&other).copied().collect());
            prop_assert_eq!(both.is_empty(), rows(&both).is_empty());
            let range = range.start.min(range.end)..range.end;
            let inside: Vec<_> = (range.clone()).filter(|&row| either.contains(row)).collect();
            prop_assert_eq!(either.iter(range.clone()).collect::<Vec<_>>(), inside.clone());
            prop_assert_eq!(either.count(range), inside.len() as u64);
            prop_assert_eq!(rows(&RowSet::all(len)), (0..len).collect());
        }
    }
}
