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

impl Default for NumberSummary {
    fn default() -> Self {
        let sketch = DDSketch::new(Config::new(PERCENTILE_ERROR, SKETCH_BUCKETS, SKETCH_MIN));
        Self { count: 0, sum: 0.0, range: None, sketch, histogram: NumberHistogram::default() }
    }
}

impl std::fmt::Debug for NumberSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NumberSummary").field("count", &self.count).field("range", &self.range).finish_non_exhaustive()
    }
}

impl NumberSummary {
    /// Adds a finite number.
    pub(crate) fn add(&mut self, number: f64) {
        self.count += 1;
        self.sum += number;
        let (min, max) = self.range.unwrap_or((number, number));
        self.range = Some((min.min(number), max.max(number)));
        self.sketch.add(number);
        self.histogram.add(number);
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
        assert_eq!((summary.percentile(0.0), summary.percentile(100.0)), (Some(-500.0), Some(1_000.0)));
    }
}
