//! Rows of a topic counted by interval and by the codes of their texts.

use std::collections::HashMap;

use sekali_store::TopicColumns;

use super::Interval;
use crate::limits::GROUP_FIELDS_MAX;

/// Most paths whose texts rows are counted by: those of groups, and one more.
const PATHS_MAX: usize = GROUP_FIELDS_MAX + 1;
/// Most counts that are kept in a table rather than in a map.
const TABLE_COUNTS_MAX: u64 = 1 << 18;

/// The codes of the texts of a row, 0 for each path that is not wanted.
type Codes = [u16; PATHS_MAX];

/// Rows that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AlikeRows {
    /// The number of their interval; 0 where there are none.
    pub(super) interval: i64,
    /// The code of their text at each path.
    pub(super) codes: Codes,
    /// How many they are.
    pub(super) rows: u64,
}

/// Counts the rows of a topic, by interval if there is one.
pub(super) fn count_rows(topic: &TopicColumns<'_>, interval: Option<Interval>) -> Vec<AlikeRows> {
    if interval.is_none() && topic.codes.is_empty() {
        return vec![AlikeRows { interval: 0, codes: Codes::default(), rows: topic.rows as u64 }];
    }
    let shape = Shape::of(topic, interval);
    let mut rows = Rows { topic, interval, at: 0, known: (0, 0..0) };
    match shape.size().filter(|size| *size <= TABLE_COUNTS_MAX) {
        Some(size) => shape.count(&mut rows, size as usize),
        None => {
            let mut counts = HashMap::<(i64, Codes), u64>::new();
            while let Some(row) = rows.next() {
                *counts.entry(row).or_default() += 1;
            }
            counts.into_iter().map(|((interval, codes), rows)| AlikeRows { interval, codes, rows }).collect()
        }
    }
}

/// The intervals and codes that rows have.
struct Shape {
    first: i64,
    intervals: u64,
    /// For each path, how many codes there may be.
    codes: [u64; PATHS_MAX],
}

impl Shape {
    fn of(topic: &TopicColumns<'_>, interval: Option<Interval>) -> Self {
        let times = topic.timestamps_ns.iter().copied();
        let (first, last) = match (interval, times.clone().min(), times.max()) {
            (Some(interval), Some(min), Some(max)) => (interval.number_of(min), interval.number_of(max)),
            _ => (0, 0),
        };
        let mut codes = [1; PATHS_MAX];
        for (most, codes) in codes.iter_mut().zip(&topic.codes) {
            *most = codes.iter().max().map_or(1, |code| u64::from(*code) + 1);
        }
        Self { first, intervals: last.abs_diff(first) + 1, codes }
    }

    /// How many kinds of rows there may be, if that is a number of 64 bits.
    fn size(&self) -> Option<u64> {
        self.codes.iter().try_fold(self.intervals, |size, codes| size.checked_mul(*codes))
    }

    fn count(&self, rows: &mut Rows<'_, '_>, size: usize) -> Vec<AlikeRows> {
        let mut counts = vec![0_u64; size];
        while let Some((interval, codes)) = rows.next() {
            let place = self
                .codes
                .iter()
                .zip(codes)
                .fold(interval.abs_diff(self.first), |place, (most, code)| place * most + u64::from(code));
            if let Some(count) = counts.get_mut(place as usize) {
                *count += 1;
            }
        }
        let found = (0..).zip(counts).filter(|(_, rows)| *rows > 0);
        found.map(|(place, rows)| self.rows_at(place, rows)).collect()
    }

    fn rows_at(&self, mut place: u64, rows: u64) -> AlikeRows {
        let mut codes = Codes::default();
        for (code, most) in codes.iter_mut().zip(self.codes).rev() {
            *code = (place % most) as u16;
            place /= most;
        }
        AlikeRows { interval: self.first.saturating_add_unsigned(place), codes, rows }
    }
}

/// The interval and the codes of each row.
struct Rows<'a, 't> {
    topic: &'a TopicColumns<'t>,
    interval: Option<Interval>,
    at: usize,
    /// The last interval, and the times that are known to be in it.
    known: (i64, std::ops::Range<i64>),
}

impl Rows<'_, '_> {
    fn next(&mut self) -> Option<(i64, Codes)> {
        let at = self.at;
        if at == self.topic.rows {
            return None;
        }
        self.at += 1;
        let mut codes = Codes::default();
        for (code, codes) in codes.iter_mut().zip(&self.topic.codes) {
            *code = codes.get(at).copied().unwrap_or_default();
        }
        let number = match (self.interval, self.topic.timestamps_ns.get(at)) {
            (Some(interval), Some(time)) => self.number_of(interval, *time),
            _ => 0,
        };
        Some((number, codes))
    }

    fn number_of(&mut self, interval: Interval, time: i64) -> i64 {
        // Events that follow each other are mostly of one interval.
        if !self.known.1.contains(&time) {
            let number = interval.number_of(time);
            self.known = (number, interval.start_of(number)..interval.start_of(number + 1));
        }
        self.known.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_counted_whatever_their_times_and_codes(
            rows in prop::collection::vec((prop_oneof![9 => 0..100_000_000_000_i64, 1 => any::<i64>()], 0..4_u16, prop_oneof![9 => 0..9_u16, 1 => any::<u16>()]), 0..200),
            paths in 0..3_usize, seconds in prop::option::of(1..20_i64)
        ) {
            let times: Vec<_> = rows.iter().map(|row| row.0).collect();
            let codes = [rows.iter().map(|row| row.1).collect::<Vec<_>>(), rows.iter().map(|row| row.2).collect()];
            let interval = seconds.map(|seconds| Interval::parse(&format!("{seconds}s")).unwrap());
            let columns = TopicColumns {
                topic: "t",
                rows: rows.len(),
                timestamps_ns: if interval.is_some() { &times } else { &[] },
                codes: codes.iter().take(paths).map(Vec::as_slice).collect(),
            };
            let mut expected = BTreeMap::<(i64, u16, u16), u64>::new();
            for (time, first, second) in &rows {
                let number = seconds.map_or(0, |seconds| time.div_euclid(seconds * 1_000_000_000));
                let code = |code: u16, path: usize| if path < paths { code } else { 0 };
                *expected.entry((number, code(*first, 0), code(*second, 1))).or_default() += 1;
            }
            let counted = count_rows(&columns, interval).into_iter().filter(|alike| alike.rows > 0);
            let counted: BTreeMap<_, _> = counted.map(|alike| ((alike.interval, alike.codes[0], alike.codes[1]), alike.rows)).collect();
            prop_assert_eq!(counted, expected);
        }
    }
}
