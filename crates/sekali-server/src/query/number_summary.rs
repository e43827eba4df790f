//! Numbers summed up: count, least, greatest, mean, percentiles.

use sketches_ddsketch::{Config, DDSketch};

use super::number_histogram::{NumberBin, NumberHistogram};
use crate::limits::PERCENTILE_ERROR;

/// Count, range, sum and percentiles of numbers, in bounded memory.
#[derive(Clone)]
pub(crate) struct NumberSummary {
    count: u64,
    sum: f64,
    range: Option<(f64, f64)>,
    sketch: DDSketch,
    histogram: NumberHistogram,
}

/// Buckets of a sketch: with an error of 1% they reach over nine powers of ten. Beyond that the
/// least numbers share one.
const SKETCH_BUCKETS: u32 = 1_024;
/// Numbers nearer to zero than this count as zero in percentiles.
const SKETCH_MIN: f64 = 1e-9;
/// A number that is added so often goes into a sketch by sketches.
const MERGED_MIN: u64 = 64;

impl Default for NumberSummary {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, range: None, sketch: empty_sketch(), histogram: NumberHistogram::default() }
    }
}

fn empty_sketch() -> DDSketch {
    DDSketch::new(Config::new(PERCENTILE_ERROR, SKETCH_BUCKETS, SKETCH_MIN))
}

fn merge(sketch: &mut DDSketch, other: &DDSketch) {
    // It fails only for a sketch that is made otherwise.
    let _ = sketch.merge(other);
}

impl std::fmt::Debug for NumberSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NumberSummary").field("count", &self.count).field("range", &self.range).finish_non_exhaustive()
    }
}

impl NumberSummary {
    /// Adds a finite number.
    pub(crate) fn add(&mut self, number: f64) {
        self.add_many(number, 1);
    }

    /// Adds a finite number so many times.
    pub(crate) fn add_many(&mut self, number: f64, count: u64) {
        if count == 0 {
            return;
        }
        self.count += count;
        self.sum += number * count as f64;
        let (min, max) = self.range.unwrap_or((number, number));
        self.range = Some((min.min(number), max.max(number)));
        self.histogram.add(number, count);
        if count < MERGED_MIN {
            (0..count).for_each(|_| self.sketch.add(number));
            return;
        }
        // Twice as many in each, until their sum is what was asked for.
        let mut power = empty_sketch();
        power.add(number);
        for bit in 0..u64::BITS - count.leading_zeros() {
            if count >> bit & 1 == 1 {
                merge(&mut self.sketch, &power);
            }
            let copy = power.clone();
            merge(&mut power, &copy);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub(crate) fn sum(&self) -> f64 {
        self.sum
    }

    /// The least and the greatest.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// Their mean.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The number that `percent` percent are at most, with a relative error of
    /// [`PERCENTILE_ERROR`].
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let (min, max) = self.range?;
        let found = self.sketch.quantile(percent / 100.0).ok().flatten()?;
        Some(found.clamp(min, max))
    }

    /// Exact counts by ranges of equal width.
    pub(crate) fn bins(&self) -> impl Iterator<Item = NumberBin> {
        self.histogram.bins()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_their_error_and_the_rest_is_exact() {
        let mut summary = NumberSummary::default();
        for number in 1..=1_000 {
            summary.add(f64::from(number));
        }
        summary.add(-500.0);
        assert_eq!((summary.count(), summary.range(), summary.sum()), (1_001, Some((-500.0, 1_000.0)), 500_000.0));
        for (percent, expected) in [(50.0, 500.0), (90.0, 900.0), (99.0, 990.0)] {
            let found = summary.percentile(percent).unwrap();
            assert!((found - expected).abs() <= expected * 0.011, "{percent}: {found}");
        }
        assert_eq!(NumberSummary::default().percentile(50.0), None);
        let (mut one_by_one, mut at_once) = (NumberSummary::default(), NumberSummary::default());
        for (number, count) in [(3.5, 1), (-2.0, 63), (7.0, 64), (0.0, 1_000), (1e6, 129), (12.0, 0)] {
            (0..count).for_each(|_| one_by_one.add(number));
            at_once.add_many(number, count);
        }
        let shown = |summary: &NumberSummary| {
            let percentiles = [0.0, 1.0, 5.0, 10.0, 50.0, 90.0, 95.0, 100.0].map(|percent| summary.percentile(percent));
            (summary.count(), summary.sum(), summary.range(), percentiles, summary.bins().collect::<Vec<_>>())
        };
        assert_eq!(shown(&at_once), shown(&one_by_one));
        assert_eq!((summary.percentile(0.0), summary.percentile(100.0)), (Some(-500.0), Some(1_000.0)));
    }
}
