//! What the fault tests of all crates share: how long one is, from which seed, and the line of JSON that it ends with.
//!
//! | variable | meaning |
//! |---|---|
//! | [`CYCLES_VARIABLE`] | how many cycles, instead of the few of an ordinary test run |
//! | [`SEED_VARIABLE`] | what is random, instead of a new seed each time |
//! | [`SECONDS_VARIABLE`] | begin no more cycles after this time |
//! | [`RESULTS_VARIABLE`] | the file that the line is appended to; an absolute path |
//!
//! ```
//! let mut trial = sekali_torture::Trial::begin("doc_example", 3);
//! let mut acked = 0;
//! while let Some(cycle) = trial.next_cycle() {
//!     acked += cycle + trial.seed() / u64::MAX;
//! }
//! trial.note("acked", acked);
//! trial.note("acked_lost", 0);
//! trial.end(); // {"test":"doc_example","seed":…,"cycles":3,"acked":3,"acked_lost":0,"seconds":0.0}
//! ```
//!
//! A test that finds a promise broken panics and writes no line. What must be 0 is written down all the same, by names
//! that every test shares: `acked_lost`, `stored_twice`, `read_then_vanished`, `wrong_bytes`, `invented`, `panics`.

#![expect(clippy::print_stdout, reason = "a test prints its seed, and what it counted")]
#![expect(clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// Names the variable with the number of cycles.
pub const CYCLES_VARIABLE: &str = "SEKALI_TORTURE_CYCLES";
/// Names the variable with the seed.
pub const SEED_VARIABLE: &str = "SEKALI_TORTURE_SEED";
/// Names the variable with the time budget, in seconds.
pub const SECONDS_VARIABLE: &str = "SEKALI_TORTURE_SECONDS";
/// Names the variable with the file for results.
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
    /// Begins the test of this name and prints its seed. `cycles` is its length in an ordinary test run.
    #[must_use]
    pub fn begin(test: &'static str, cycles: u64) -> Self {
        let seed = setting(SEED_VARIABLE).unwrap_or_else(|| rand::random::<u32>().into());
        let cycles_max = setting(CYCLES_VARIABLE).unwrap_or(cycles);
        let time_max = setting(SECONDS_VARIABLE).map_or(Duration::MAX, Duration::from_secs);
        println!("{test}: {SEED_VARIABLE}={seed} {CYCLES_VARIABLE}={cycles_max}");
        Self { test, seed, cycles_max, cycles: 0, begun: Instant::now(), time_max, figures: Vec::new() }
    }

    /// What everything random is drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of the next cycle, counted from 0; `None` once there were enough or the time is up. There is always one.
    pub fn next_cycle(&mut self) -> Option<u64> {
        let is_over = self.cycles >= self.cycles_max || self.begun.elapsed() >= self.time_max;
        if is_over && self.cycles > 0 {
            return None;
        }
        self.cycles += 1;
        Some(self.cycles - 1)
    }

    /// Notes a figure. They are written in the order in which they were noted.
    pub fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        self.figures.push((name, value.into()));
    }

    /// Ends the test: it has kept what it promises.
    pub fn end(self) {
        let seconds = (self.begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        let head = [("test", self.test.into()), ("seed", self.seed.into()), ("cycles", self.cycles.into())];
        let figures = head.into_iter().chain(self.figures).chain([("seconds", seconds.into())]);
        write_down(&line(figures));
    }
}

/// Says loudly that a test cannot run here, and writes it down.
pub fn skip(test: &'static str, reason: &str) {
    println!("############################################################");
    println!("SKIPPED: {test} was not run: {reason}");
    println!("############################################################");
    write_down(&line([("test", json!(test)), ("skipped", json!(reason))]));
}

/// One line of JSON with its members in this order, which a map would not keep.
fn line(figures: impl IntoIterator<Item = (&'static str, Value)>) -> String {
    let members: Vec<_> = figures.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let line = format!("{{{}}}", members.join(","));
    debug_assert!(serde_json::from_str::<Map<String, Value>>(&line).is_ok(), "{line}");
    line
}

fn write_down(line: &str) {
    println!("{line}");
    if let Some(path) = env::var_os(RESULTS_VARIABLE) {
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a file for results");
        // In one write, so that tests that run side by side do not mix their lines.
        file.write_all(format!("{line}\n").as_bytes()).expect("the line is written");
    }
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}
