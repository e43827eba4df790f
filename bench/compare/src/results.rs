//! The results of all runs, and their reports: every run as JSON, medians for people, and a chart.

mod chart;
mod markdown;

use std::fs;
use std::path::Path;

use sekali_testkit::Machine;
use serde::Serialize;

use crate::disk::Syncs;
use crate::peer::{About, Kind, Latency, Measured};
use crate::{Outcome, say};

#[derive(Debug, Serialize)]
pub(crate) struct Results {
    machine: Machine,
    seconds: f64,
    rounds: u32,
    /// The disk alone, measured at the beginning of each round.
    pub(crate) syncs: Vec<Vec<Syncs>>,
    pub(crate) peers: Vec<Of>,
}

/// All results of one peer.
#[derive(Debug, Serialize)]
pub(crate) struct Of {
    #[serde(flatten)]
    pub(crate) about: About,
    pub(crate) version: Option<String>,
    pub(crate) runs: Vec<Run>,
    /// The reason that a run failed.
    pub(crate) failures: Vec<String>,
    /// The reason that the peer was not measured.
    left_out: Option<String>,
}

/// One run, and whether the peer then held the expected events.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    #[serde(flatten)]
    measured: Measured,
    held: Option<u64>,
    should_hold: Option<u64>,
}

impl Run {
    pub(crate) fn new(measured: Measured, held: Option<u64>, drops_repeats: bool) -> Self {
        let should_hold = if drops_repeats { measured.distinct } else { measured.events };
        Self { held, should_hold: held.map(|_| should_hold), measured }
    }

    fn is_right(&self) -> bool {
        self.held == self.should_hold && self.measured.errors == 0
    }

    pub(crate) fn to_text(&self) -> String {
        let Measured { events_per_second, latency_ms, errors, .. } = &self.measured;
        let rate = markdown::grouped(*events_per_second);
        let held = match (self.held, self.should_hold) {
            (Some(held), Some(right)) if held == right => format!("holds {held}, as it should"),
            (Some(held), Some(right)) => format!("HOLDS {held} AND SHOULD HOLD {right}"),
            _ => "holds nothing".to_owned(),
        };
        let errors = if *errors > 0 { format!(", {errors} ERRORS") } else { String::new() };
        format!("{rate:>10}/s  p50 {:.2} ms  p99 {:.2} ms  {held}{errors}", latency_ms.p50, latency_ms.p99)
    }
}

/// The median of several runs, and their spread.
#[derive(Debug, Clone, Copy)]
struct Summary {
    events_per_second: f64,
    slowest: f64,
    fastest: f64,
    latency_ms: Latency,
}

impl Of {
    pub(crate) fn nothing(about: About) -> Self {
        Self { about, version: None, runs: Vec::new(), failures: Vec::new(), left_out: None }
    }

    pub(crate) fn left_out(about: About, why: String) -> Self {
        Self { left_out: Some(why), ..Self::nothing(about) }
    }

    fn summary(&self) -> Option<Summary> {
        let of = |figure: fn(&Measured) -> f64| self.runs.iter().map(|run| figure(&run.measured)).collect::<Vec<_>>();
        let rates = of(|run| run.events_per_second);
        Some(Summary {
            slowest: rates.iter().copied().reduce(f64::min)?,
            fastest: rates.iter().copied().reduce(f64::max)?,
            events_per_second: median(rates)?,
            latency_ms: Latency {
                p50: median(of(|run| run.latency_ms.p50))?,
                p99: median(of(|run| run.latency_ms.p99))?,
                p99_9: median(of(|run| run.latency_ms.p99_9))?,
                max: median(of(|run| run.latency_ms.max))?,
            },
        })
    }
}

impl Results {
    pub(crate) fn new(machine: Machine, seconds: f64, rounds: u32) -> Self {
        Self { machine, seconds, rounds, syncs: Vec::new(), peers: Vec::new() }
    }

    /// The number of runs that failed.
    pub(crate) fn problems(&self) -> usize {
        let of = |peer: &Of| peer.failures.len() + peer.runs.iter().filter(|run| !run.is_right()).count();
        self.peers.iter().map(of).sum()
    }

    /// Writes `compare.json`, `compare.md` and `compare.svg`.
    pub(crate) fn write(&self, dir: &Path) -> Outcome<()> {
        fs::create_dir_all(dir)?;
        let path = dir.join("compare");
        fs::write(path.with_extension("json"), serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(path.with_extension("md"), markdown::write(self))?;
        fs::write(path.with_extension("svg"), chart::draw(self))?;
        say(&format!("written: {}, .svg and .json", path.with_extension("md").display()));
        Ok(())
    }

    /// The measured peers of a kind, fastest first.
    fn ranking(&self, kind: Kind) -> Vec<(&Of, Summary)> {
        let of_kind = self.peers.iter().filter(|peer| peer.about.kind == kind);
        let mut ranking: Vec<_> = of_kind.filter_map(|peer| Some((peer, peer.summary()?))).collect();
        ranking.sort_by(|(_, left), (_, right)| right.events_per_second.total_cmp(&left.events_per_second));
        ranking
    }

    fn summary_of(&self, name: &str) -> Option<Summary> {
        self.peers.iter().find(|peer| peer.about.name == name)?.summary()
    }

    /// Medians over the rounds for each size of append.
    fn sync_medians(&self) -> Vec<(usize, Latency)> {
        let sizes = self.syncs.first().into_iter().flatten().map(|syncs| syncs.bytes);
        sizes.filter_map(|bytes| Some((bytes, self.sync_median(bytes)?))).collect()
    }

    fn sync_median(&self, bytes: usize) -> Option<Latency> {
        let all: Vec<Latency> =
            self.syncs.iter().flatten().filter(|syncs| syncs.bytes == bytes).map(|syncs| syncs.latency_ms).collect();
        let of = |quantile: fn(&Latency) -> f64| median(all.iter().map(quantile).collect());
        Some(Latency {
            p50: of(|all| all.p50)?,
            p99: of(|all| all.p99)?,
            p99_9: of(|all| all.p99_9)?,
            max: of(|all| all.max)?,
        })
    }
}

/// The median.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(*values.get(last / 2)?, *values.get(last.div_ceil(2))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Shape;

    pub(super) fn results() -> Results {
        let peer = |name, rates: &[f64], kind, is_durable| Of {
            runs: rates.iter().map(|rate| run(*rate)).collect(),
            version: Some(format!("{name} 1.0")),
            ..Of::nothing(About {
                name,
                what: "a <store> & more",
                acknowledgement: "something",
                is_durable,
                kind,
                shape: Shape { connections: 4, batch_size: 500 },
            })
        };
        let mut results = Results::new(Machine::describe(Path::new(".")), 8.0, 3);
        results.peers = vec![
            peer("sekali", &[1_000_000.0, 800_000.0, 900_000.0], Kind::Batches, true),
            peer("floor", &[2_000_000.0], Kind::Batches, true),
            peer("seed", &[450.0, 440.0], Kind::Batches, false),
            peer("sekali-single", &[30_000.0], Kind::Single, true),
            peer("handler", &[40_000.0], Kind::Single, false),
        ];
        results.peers.push(Of::left_out(results.peers[1].about.clone(), "not installed".to_owned()));
        results
    }

    fn run(rate: f64) -> Run {
        let latency_ms = Latency { p50: 1.0, p99: 2.0, p99_9: 3.0, max: 4.0 };
        let measured =
            Measured { events: 100, distinct: 80, seconds: 1.0, events_per_second: rate, latency_ms, errors: 0 };
        Run::new(measured, Some(80), true)
    }

    #[test]
    fn the_middle_is_what_half_of_the_runs_reach() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_peer_that_holds_too_much_or_too_little_is_a_problem() {
        let mut results = results();
        assert_eq!(results.problems(), 0);
        let measured = results.peers[0].runs[0].measured.clone();
        results.peers[0].runs.push(Run::new(measured.clone(), Some(81), true));
        results.peers[0].runs.push(Run::new(measured.clone(), Some(80), false));
        results.peers[0].runs.push(Run::new(measured.clone(), Some(100), false));
        results.peers[0].runs.push(Run::new(Measured { errors: 1, ..measured }, Some(80), true));
        results.peers[0].failures.push("no".to_owned());
        assert_eq!(results.problems(), 4);
    }
}
