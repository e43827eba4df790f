//! Sums of numbers as members of answers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::query::{NumberBin, NumberSummary};

/// Range, mean, sum and percentiles of numbers. `null` where there is none.
#[derive(Debug, Serialize)]
pub(super) struct Numbers {
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    sum: f64,
    percentiles: BTreeMap<String, Option<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Vec<Bin>>,
}

#[derive(Debug, Serialize)]
struct Bin {
    from: f64,
    below: f64,
    count: u64,
}

impl Numbers {
    /// Words a summary, with these percentiles.
    pub(super) fn new(summary: &NumberSummary, percentiles: &[f64], with_histogram: bool) -> Self {
        let bin = |NumberBin { from, below, count }| Bin { from, below, count };
        Self {
            min: summary.range().map(|(min, _)| min),
            max: summary.range().map(|(_, max)| max),
            mean: summary.mean(),
            sum: summary.sum(),
            percentiles: percentiles
                .iter()
                .map(|percent| (percent.to_string(), summary.percentile(*percent)))
                .collect(),
            histogram: with_histogram.then(|| summary.bins().map(bin).collect()),
        }
    }
}
