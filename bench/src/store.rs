//! Fills a store in a process of its own, kills that process, and reads the remaining store.
//!
//! Every event and its outcome and seq are known beforehand, and all of them are checked.

mod filling;
mod looking;
mod raw;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use sekali_store::{HashKey, KeyHasher, Partition, StoreMeta, StoreOptions};

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{bytes_below, resident_bytes};

pub(crate) use filling::fill;

/// Options of the store.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreSpec {
    /// Events to publish, repeats included
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) events: u64,
    /// Events of a commit
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) commit: u64,
    /// Percentage of events that repeat an earlier one, which may be any of them
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=90))]
    pub(crate) duplicates: u64,
    /// Length of a payload; the shortest is about 90
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(..=100_000))]
    pub(crate) payload_bytes: u64,
    /// Look-ups of known events, of unknown ones, and repeats, that are timed and checked; at most
    /// the number of stored events
    #[arg(long, default_value_t = 200_000)]
    pub(crate) samples: u64,
}

impl StoreSpec {
    /// The number of new events among the first `events`. Repeats are spread evenly.
    pub(crate) fn unique(&self, events: u64) -> u64 {
        events - events * self.duplicates / 100
    }

    fn arguments(&self) -> Vec<String> {
        let Self { events, commit, duplicates, payload_bytes, samples } = self;
        let pairs = [
            ("events", events),
            ("commit", commit),
            ("duplicates", duplicates),
            ("payload-bytes", payload_bytes),
            ("samples", samples),
        ];
        pairs.iter().map(|(name, value)| format!("--{name}={value}")).collect()
    }
}

/// Measures, in a temporary directory in `scratch_dir`.
pub(crate) fn run(spec: &StoreSpec, scratch_dir: &Path) -> Outcome<Report> {
    let dir = tempfile::tempdir_in(scratch_dir)?;
    let raw = raw::append(spec, &dir.path().join("raw"))?;
    let data = dir.path().join("data");
    let mut report = fill_and_kill(spec, &data)?;
    if let Some(rate) = report.get("events committed") {
        report.add("raw append and sync, same bytes", raw, "events/s");
        report.add("store / raw append", rate / raw, "");
    }
    let partition = reopen(&data, "kill -9", &mut report)?;
    check_counters(&partition, spec)?;
    settle(&partition, &data, &mut report);
    let partition = looking::run(partition, spec, &mut report)?;
    partition.close()?;
    drop(reopen(&data, "clean close", &mut report)?);
    Ok(report)
}

/// Fills a store in another process, and kills that with SIGKILL immediately, in the middle of
/// background work.
fn fill_and_kill(spec: &StoreSpec, data: &Path) -> Outcome<Report> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("fill").args(spec.arguments()).arg("--dir").arg(data);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    child.kill()?;
    child.wait()?;
    if line.is_empty() {
        return Err("the process that fills the store has failed; see above".into());
    }
    Ok(serde_json::from_str(&line)?)
}

/// Every measured store has the same secret, so that runs are repeatable.
const NEW_STORE: StoreMeta = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };

pub(crate) fn hasher() -> KeyHasher {
    KeyHasher::new(&NEW_STORE.hash_key)
}

/// Opens the store with its one partition.
pub(crate) fn open(data: &Path) -> Outcome<Partition> {
    let store = StoreOptions::new().open_or_create(data, &NEW_STORE)?;
    store.into_partitions().pop().ok_or_else(|| "the store has no partition".into())
}

fn reopen(data: &Path, after: &str, report: &mut Report) -> Outcome<Partition> {
    let (before, resident) = (Instant::now(), resident_bytes());
    let partition = open(data)?;
    report.add(format!("start-up after {after}"), before.elapsed().as_secs_f64(), "s");
    let grown = resident_bytes().saturating_sub(resident);
    report.add(format!("resident memory taken by start-up after {after}"), grown as f64 / 1e6, "MB");
    Ok(partition)
}

fn check_counters(partition: &Partition, spec: &StoreSpec) -> Outcome<()> {
    let (counters, stored) = (partition.reader().counters(), spec.unique(spec.events));
    let found = (counters.received, counters.stored, counters.duplicates, counters.conflicts);
    let expected = (spec.events, stored, spec.events - stored, 0);
    if found == expected { Ok(()) } else { Err(format!("counters are {found:?} and not {expected:?}").into()) }
}

/// Waits for all background work: until the index is idle and no file has grown for a second.
fn settle(partition: &Partition, data: &Path, report: &mut Report) {
    const QUIET: Duration = Duration::from_secs(1);
    let (reader, begun) = (partition.reader(), Instant::now());
    let (mut bytes, mut since) = (0, Instant::now());
    while since.elapsed() < QUIET {
        std::thread::sleep(Duration::from_millis(50));
        let (stats, now) = (reader.index_stats(), bytes_below(data, ""));
        if stats.tables_waiting > 0 || stats.merge_debt_bytes > 0 || now != bytes {
            (bytes, since) = (now, Instant::now());
        }
    }
    let (stats, stored) = (reader.index_stats(), reader.counters().stored as f64);
    report.add("background work settled after", (since - begun).as_secs_f64(), "s");
    report.add("runs", stats.runs as f64, "");
    // A small store has all its ids in memory.
    if stats.entries_in_runs > 0 {
        let ids = stats.entries_in_runs as f64;
        report.add("bytes an id on disk", bytes_below(data, ".run") as f64 / ids, "B");
        report.add("bytes an id of filters", stats.filter_bytes as f64 / ids, "B");
    }
    for (name, suffix) in [("log", ".log"), ("segments", ".parquet"), ("all files", "")] {
        report.add(format!("bytes a stored event, {name}"), bytes_below(data, suffix) as f64 / stored, "B");
    }
    report.add("resident when settled", resident_bytes() as f64 / 1e6, "MB");
}
