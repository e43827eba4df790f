//! The figures of a program, as a flat list with names: easy to print, to compare and to take
//! medians of.

use std::time::Duration;

use sekali_testkit::numbers::figure;
use serde::{Deserialize, Serialize};

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The program and its options.
    pub(crate) title: String,
    pub(crate) figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Its unit, such as `events/s`; empty for plain numbers.
    pub(crate) unit: String,
}

impl Report {
    /// A report without figures.
    pub(crate) fn new(title: String) -> Self {
        Self { title, figures: Vec::new() }
    }

    /// Notes a figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        self.figures.push(Figure { name: name.into(), value, unit: unit.to_owned() });
    }

    /// Notes median and 99th percentile of times, in milliseconds. Sorts them.
    pub(crate) fn add_percentiles(&mut self, name: &str, times: &mut [Duration]) {
        times.sort_unstable();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
        for (percentile, share) in [("median", 50), ("p99", 99)] {
            let time = at(share).copied().unwrap_or_default();
            self.add(format!("{name}, {percentile}"), time.as_secs_f64() * 1e3, "ms");
        }
    }

    /// The value of the figure of this name, if it exists.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// A line of text for each figure.
    pub(crate) fn to_text(&self) -> String {
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        let mut text = self.title.clone();
        for Figure { name, value, unit } in &self.figures {
            text.push_str(&format!("\n  {name:width$}  {:>14} {unit}", figure(*value)));
        }
        text
    }

    /// The median of every figure over several runs of the same program.
    pub(crate) fn median(runs: &[Self]) -> Option<Self> {
        let mut median = runs.first()?.clone();
        for figure in &mut median.figures {
            let mut values: Vec<f64> = runs.iter().filter_map(|run| run.get(&figure.name)).collect();
            values.sort_by(f64::total_cmp);
            let middle = [values.get((values.len() - 1) / 2), values.get(values.len() / 2)];
            figure.value = middle.into_iter().flatten().sum::<f64>() / 2.0;
        }
        Some(median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_run_does_not_move_the_median() {
        let run = |rate: f64| {
            let mut report = Report::new("a".to_owned());
            report.add("rate", rate, "ids/s");
            report
        };
        let median = |rates: &[f64]| Report::median(&rates.iter().map(|&rate| run(rate)).collect::<Vec<_>>());
        assert_eq!(median(&[9.0, 1.0, 8.0]).and_then(|report| report.get("rate")), Some(8.0));
        assert_eq!(median(&[4.0, 2.0]).and_then(|report| report.get("rate")), Some(3.0));
        assert_eq!(median(&[]), None);
    }
}
