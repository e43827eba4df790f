//! Fault tests: their length, their seed, and the line of JSON that each ends with.
//!
//! | variable | meaning |
//! |---|---|
//! | [`CYCLES_VARIABLE`] | number of cycles, instead of the few of an ordinary test run |
//! | [`SEED_VARIABLE`] | seed of all random numbers, instead of a new one each time |
//! | [`SECONDS_VARIABLE`] | time in seconds after which no cycle begins |
//! | [`RESULTS_VARIABLE`] | file that the line is appended to; an absolute path |
//!
//! ```
//! let mut trial = sekali_testkit::Trial::begin("doc_example", 3);
//! let mut acked = 0;
//! while let Some(cycle) = trial.next_cycle() {
//!     acked += cycle + trial.seed() / u64::MAX;
//! }
//! trial.note("acked", acked);
//! trial.note("acked_lost", 0);
//! // {"test":"doc_example","seed":…,"cycles":3,"acked":3,"acked_lost":0,"seconds":0.0}
//! trial.end();
//! ```
//!
//! A test that finds a promise broken panics and writes no line. Figures that must be 0 are written
//! all the same, by names that all tests share: `acked_lost`, `stored_twice`, `read_then_vanished`,
//! `wrong_bytes`, `invented`, `panics`.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// Variable with the number of cycles.
pub const CYCLES_VARIABLE: &str = "SEKALI_TORTURE_CYCLES";
/// Variable with the seed.
pub const SEED_VARIABLE: &str = "SEKALI_TORTURE_SEED";
/// Variable with the time budget, in seconds.
pub const SECONDS_VARIABLE: &str = "SEKALI_TORTURE_SECONDS";
/// Variable with the path of the file for results.
pub const RESULTS_VARIABLE: &str = "SEKALI_TORTURE_RESULTS";

/// A fault test in progress.
#[derive(Debug)]
pub struct Trial {
    test: &'static str,
    seed: u64,
    cycles_max: u64,
    cycles: u64,
    begun: Instant,
    time_max: Duration,
    figures: Vec<(&'static str, Value)>,
}

impl Trial {
    /// Begins the test of this name and prints its seed. `cycles` is its length in an ordinary test
    /// run.
    #[must_use]
    pub fn begin(test: &'static str, cycles: u64) -> Self {
        let seed = setting(SEED_VARIABLE).unwrap_or_else(|| rand::random::<u32>().into());
        let cycles_max = setting(CYCLES_VARIABLE).unwrap_or(cycles);
        let time_max = setting(SECONDS_VARIABLE).map_or(Duration::MAX, Duration::from_secs);
        println!("{test}: {SEED_VARIABLE}={seed} {CYCLES_VARIABLE}={cycles_max}");
        Self { test, seed, cycles_max, cycles: 0, begun: Instant::now(), time_max, figures: Vec::new() }
    }

    /// Returns the seed of all random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the number of the next cycle, from 0, or `None` when all have run or the time is
    /// over. At least one cycle runs.
    pub fn next_cycle(&mut self) -> Option<u64> {
        let is_over = self.cycles >= self.cycles_max || self.begun.elapsed() >= self.time_max;
        if is_over && self.cycles > 0 {
            return None;
        }
        self.cycles += 1;
        Some(self.cycles - 1)
    }

    /// Adds a figure to the line, behind those added before.
    pub fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        self.figures.push((name, value.into()));
    }

    /// Ends a test that has passed: writes its line.
    pub fn end(self) {
        let seconds = (self.begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let head = [("test", self.test.into()), ("seed", self.seed.into()), ("cycles", self.cycles.into())];
        let figures = head.into_iter().chain(self.figures).chain([("seconds", seconds.into())]);
        append_result(&line(figures));
    }
}

/// Prints and writes to the results that a test cannot run here.
pub fn skip(test: &'static str, reason: &str) {
    println!("############################################################");
    println!("SKIPPED: {test} was not run: {reason}");
    println!("############################################################");
    append_result(&line([("test", json!(test)), ("skipped", json!(reason))]));
}

/// Returns one line of JSON with its members in this order, which a map would not keep.
fn line(figures: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    let members: Vec<_> = figures.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let line = format!("{{{}}}", members.join(","));
    debug_assert!(serde_json::from_str::<Map<String, Value>>(&line).is_ok(), "{line}");
    line
}

fn append_result(line: &str) {
    println!("{line}");
    if let Some(path) = env::var_os(RESULTS_VARIABLE) {
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a file for results");
        // In one write, so that concurrent tests do not mix their lines.
        file.write_all(format!("{line}\n").as_bytes()).expect("the line is written");
    }
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}
