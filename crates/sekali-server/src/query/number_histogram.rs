//! Numbers counted in bins of equal width, which widen as the range grows.

use std::collections::BTreeMap;

use crate::limits::NUMBER_BINS_MAX;

/// Exact counts in at most [`NUMBER_BINS_MAX`] bins. Their width is a power of two, and their
/// bounds are multiples of it.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberHistogram {
    /// The width is two to this power; `None` before the first number.
    exponent: Option<i32>,
    counts: BTreeMap<i64, u64>,
}

/// One bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NumberBin {
    /// The least number that is in it.
    pub(crate) from: f64,
    /// The least number above it.
    pub(crate) below: f64,
    /// How many numbers are in it.
    pub(crate) count: u64,
}

/// A bin of the first number is so many binary digits narrower than that number.
const FIRST_BIN_DIGITS: i32 = 20;
const EXPONENT_MIN: i32 = -1_000;

impl NumberHistogram {
    /// Counts a finite number so many times.
    pub(super) fn add(&mut self, number: f64, count: u64) {
        let first = || if number == 0.0 { EXPONENT_MIN } else { number.abs().log2().floor() as i32 - FIRST_BIN_DIGITS };
        let mut exponent = *self.exponent.get_or_insert_with(|| first().max(EXPONENT_MIN));
        let bin = loop {
            let bin = (number / 2_f64.powi(exponent)).floor();
            // Bins are numbered exactly.
            if bin.abs() < 2_f64.powi(53) {
                let bin = bin as i64;
                let first = self.counts.keys().next().map_or(bin, |first| bin.min(*first));
                let last = self.counts.keys().next_back().map_or(bin, |last| bin.max(*last));
                if last - first < NUMBER_BINS_MAX as i64 {
                    break bin;
                }
            }
            exponent += 1;
            let narrow = std::mem::take(&mut self.counts);
            for (bin, count) in narrow {
                *self.counts.entry(bin.div_euclid(2)).or_default() += count;
            }
        };
        self.exponent = Some(exponent);
        *self.counts.entry(bin).or_default() += count;
    }

    /// The bins from the least number to the greatest, empty ones included.
    pub(super) fn bins(&self) -> impl Iterator<Item = NumberBin> {
        let width = 2_f64.powi(self.exponent.unwrap_or_default());
        let range = self.counts.keys().next().zip(self.counts.keys().next_back());
        range.into_iter().flat_map(|(first, last)| *first..=*last).map(move |bin| NumberBin {
            from: bin as f64 * width,
            below: (bin + 1) as f64 * width,
            count: self.counts.get(&bin).copied().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_is_in_its_bin(
            numbers in prop::collection::vec(prop_oneof![-1e3..1e3, -1e-9..1e-9, prop::num::f64::NORMAL, Just(0.0)], 1..60),
        ) {
            let mut histogram = NumberHistogram::default();
            numbers.iter().for_each(|number| histogram.add(*number, 1));
            let bins: Vec<_> = histogram.bins().collect();
            prop_assert!(bins.len() <= NUMBER_BINS_MAX);
            for bin in &bins {
                let expected = numbers.iter().filter(|number| (bin.from..bin.below).contains(*number)).count() as u64;
                prop_assert_eq!(bin.count, expected);
            }
            prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), numbers.len() as u64);
        }
    }
}
