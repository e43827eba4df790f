//! `sekali stats --field`: one number of events, summed up.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use crate::cli::term::bars::{bars, fitted, group_name};
use crate::cli::term::output::Paint;
use crate::digits::grouped;

/// Columns that names of groups may have.
const NAME_COLUMNS: usize = 24;
/// Percentiles that fit a line beside a group.
const PERCENTILES_SHOWN: usize = 3;

/// The server's answer to `GET /events/stats`.
#[derive(Debug, Deserialize)]
pub(super) struct FieldNumbers {
    field: String,
    count: u64,
    missing: u64,
    not_numbers: u64,
    complete: bool,
    #[serde(flatten)]
    numbers: NumberFigures,
    #[serde(default)]
    histogram: Vec<NumberBin>,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    groups: Vec<NumberGroup>,
}

#[derive(Debug, Deserialize)]
struct NumberFigures {
    #[serde(default, deserialize_with = "figure")]
    min: Option<f64>,
    #[serde(default, deserialize_with = "figure")]
    max: Option<f64>,
    #[serde(default, deserialize_with = "figure")]
    mean: Option<f64>,
    #[serde(default, deserialize_with = "figures")]
    percentiles: BTreeMap<String, Option<f64>>,
}

/// Reads a number or `null`. Members of a flattened structure are read from a copy, in which only
/// this type knows numbers of any precision.
fn figure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.and_then(|number| number.as_f64()))
}

fn figures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Option<f64>>, D::Error> {
    let figures = BTreeMap::<String, Option<Number>>::deserialize(deserializer)?;
    let to_f64 = |number: Option<Number>| number.and_then(|number| number.as_f64());
    Ok(figures.into_iter().map(|(name, number)| (name, to_f64(number))).collect())
}

#[derive(Debug, Deserialize)]
struct NumberBin {
    from: f64,
    below: f64,
    count: u64,
}

#[derive(Debug, Deserialize)]
struct NumberGroup {
    key: Vec<Value>,
    count: u64,
    #[serde(flatten)]
    numbers: NumberFigures,
}

impl FieldNumbers {
    /// Figures, a histogram and a table of groups.
    pub(super) fn render(&self, paint: Paint) -> Vec<String> {
        let mut figures = vec![("min".to_owned(), self.numbers.min)];
        figures.extend(self.numbers.percentiles().map(|(percent, value)| (format!("p{percent}"), value)));
        figures.extend([("max".to_owned(), self.numbers.max), ("mean".to_owned(), self.numbers.mean)]);
        let figures: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {}", shown(*value))).collect();
        let mut lines = vec![paint.bold(fitted(&self.field, 80)), figures.join("  ")];
        if !self.histogram.is_empty() {
            lines.push(String::new());
            let bin = |bin: &NumberBin| (format!("{} to {}", shown(Some(bin.from)), shown(Some(bin.below))), bin.count);
            let rows: Vec<_> = self.histogram.iter().map(bin).collect();
            lines.extend(bars("from, to below", &rows, self.count, paint));
        }
        if !self.groups.is_empty() {
            lines.push(String::new());
            lines.extend(self.table(paint));
        }
        let rest = [(self.missing, "events without it"), (self.not_numbers, "that are no numbers")];
        let rest =
            rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {} {what}", grouped(*count)));
        lines.push(format!("{} numbers{}", grouped(self.count), rest.collect::<String>()));
        if !self.complete {
            lines.push(paint.yellow("not all were read: these are the numbers of a part"));
        }
        lines
    }

    fn table(&self, paint: Paint) -> Vec<String> {
        let heading = fitted(&self.by.join(", "), NAME_COLUMNS);
        let names: Vec<_> = self.groups.iter().map(|group| fitted(&group_name(&group.key), NAME_COLUMNS)).collect();
        let width = names.iter().chain([&heading]).map(|name| name.chars().count()).max().unwrap_or(0);
        let percents: Vec<_> = self.numbers.percentiles().map(|(percent, _)| percent).take(PERCENTILES_SHOWN).collect();
        let line = |name: &str, count: &str, mean: &str, percentiles: Vec<String>| {
            let percentiles: String = percentiles.iter().map(|value| format!("{value:>10}")).collect();
            format!("{name:<width$}  {count:>11}  {mean:>10}{percentiles}")
        };
        let titles = percents.iter().map(|percent| format!("p{percent}")).collect();
        let mut lines = vec![paint.bold(line(&heading, "numbers", "mean", titles))];
        for (group, name) in self.groups.iter().zip(&names) {
            let value = |percent: &&str| shown(group.numbers.percentiles.get(*percent).copied().flatten());
            let percentiles = percents.iter().map(value).collect();
            lines.push(line(name, &grouped(group.count), &shown(group.numbers.mean), percentiles));
        }
        lines
    }
}

impl NumberFigures {
    /// In order of size.
    fn percentiles(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        let mut percentiles: Vec<_> = self.percentiles.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let percent = |name: &str| name.parse().unwrap_or(f64::MAX);
        percentiles.sort_by(|a, b| percent(a.0).total_cmp(&percent(b.0)));
        percentiles.into_iter()
    }
}

/// A number with as many digits as people read.
fn shown(number: Option<f64>) -> String {
    match number {
        None => "-".to_owned(),
        Some(number) if number != 0.0 && !(1e-3..1e9).contains(&number.abs()) => format!("{number:.3e}"),
        Some(number) => {
            let text = format!("{number:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_figures_bars_and_groups() {
        let answer = r#"{"field":"payload.ms","count":75,"missing":25,"not_numbers":2,"min":0.0,"max":98.0,"mean":49.0,"sum":3675.0,
            "percentiles":{"50":48.9,"90":88.125,"99.9":97.2,"5":1.0},"histogram":[{"from":0.0,"below":64.0,"count":50},{"from":64.0,"below":128.0,"count":25}],
            "relative_error":0.01,"complete":true,"by":["payload.status"],
            "groups":[{"key":[200],"count":25,"min":0.0,"max":9.0,"mean":48.0,"percentiles":{"50":40.0,"90":null}}]}"#;
        let numbers: FieldNumbers = serde_json::from_str(answer).unwrap();
        let lines = numbers.render(Paint::PLAIN);
        expect_test::expect![[r#"
            payload.ms
            min 0  p5 1  p50 48.9  p90 88.125  p99.9 97.2  max 98  mean 49

            from, to below          count   share
            0 to 64                    50   66.7%  ████████████████████
            64 to 128                  25   33.3%  ██████████

            payload.status      numbers        mean        p5       p50       p90
            200                      25          48         -        40         -
            75 numbers, 25 events without it, 2 that are no numbers"#]]
        .assert_eq(&lines.join("\n"));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn numbers_have_few_digits() {
        let text = [None, Some(0.0), Some(1.5), Some(1234.5678), Some(1e12), Some(-2e-9)].map(shown);
        assert_eq!(text, ["-", "0", "1.5", "1234.568", "1.000e12", "-2.000e-9"]);
    }
}
