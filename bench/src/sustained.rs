//! Publishing to a real server at full speed for minutes: whether its speed, memory and latency
//! stay stable.
//!
//! Server and load are processes of their own; the load is `sekali bench`, on the same machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{bytes_below, rate};
use crate::serving::{self, Owned, Serving};

/// Options of the load.
#[derive(Debug, Clone, Args)]
pub(crate) struct SustainedSpec {
    /// Duration of the load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(20..=86_400))]
    pub(crate) seconds: u64,
    /// Connections, each with one request at a time
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: u32,
    /// Events in a request
    #[arg(long, default_value_t = 500)]
    pub(crate) batch_size: u32,
    /// The program to measure [default: the `sekali` beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) sekali: Option<PathBuf>,
}

/// The interval at which the server is sampled.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The number of ids from which on a store counts as large.
const MANY_IDS: u64 = 100_000_000;

/// A sample of the server.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Instant,
    counted: Counted,
    resident_bytes: u64,
    disk_bytes: u64,
}

/// The counters of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Counted {
    received: u64,
    unique_processed: u64,
}

/// The output of `sekali bench`.
#[derive(Debug, Deserialize)]
struct Load {
    received: u64,
    distinct: u64,
    errors: u64,
    p50_ms: f64,
    p99_ms: f64,
    p99_9_ms: f64,
    max_ms: f64,
}

/// Measures, in a temporary directory in `scratch_dir`.
pub(crate) fn run(spec: &SustainedSpec, scratch_dir: &Path) -> Outcome<Report> {
    let sekali = serving::program(spec.sekali.as_deref())?;
    let dir = tempfile::tempdir_in(scratch_dir)?;
    let data = dir.path().join("store");
    let serving = Serving::start(&sekali, &data)?;
    let look = || -> Outcome<Moment> {
        let (at, resident_bytes, disk_bytes) = (Instant::now(), serving.resident_bytes(), bytes_below(&data, ""));
        Ok(Moment { at, counted: counted(&serving)?, resident_bytes, disk_bytes })
    };
    let mut moments = vec![look()?];
    let load = start_load(&sekali, spec, &serving)?;
    for _ in 0..spec.seconds / LOOK_EVERY.as_secs() {
        std::thread::sleep(LOOK_EVERY);
        moments.push(look()?);
    }
    let load = finish(load)?;
    let counted = counted(&serving)?;
    if load.errors > 0 || (counted.received, counted.unique_processed) != (load.received, load.distinct) {
        return Err(format!("the load was {load:?}, and the server counts {counted:?}").into());
    }
    let mut report = Report::new(format!(
        "sustained: {} s, requests of {} events on {} connections, 20% repeats",
        spec.seconds, spec.batch_size, spec.connections
    ));
    summarize(&moments, &mut report);
    for (name, value) in
        [("median", load.p50_ms), ("p99", load.p99_ms), ("p99.9", load.p99_9_ms), ("longest", load.max_ms)]
    {
        report.add(format!("request, {name}"), value, "ms");
    }
    report.add("server's memory, peak", serving.peak_bytes() as f64 / 1e6, "MB");
    report_windows(&moments, &mut report);
    Ok(report)
}

fn start_load(sekali: &Path, spec: &SustainedSpec, serving: &Serving) -> Outcome<Owned> {
    let mut command = Command::new(sekali);
    command.args(["bench", "--json", "--url", &serving.url]);
    command.arg(format!("--duration={}", spec.seconds));
    command.arg(format!("--connections={}", spec.connections));
    command.arg(format!("--batch-size={}", spec.batch_size));
    Ok(Owned(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?))
}

/// Waits for the load's figures.
fn finish(mut load: Owned) -> Outcome<Load> {
    let stdout = load.0.stdout.take().ok_or("the load has no standard output")?;
    Ok(serde_json::from_reader(stdout)?)
}

fn counted(serving: &Serving) -> Outcome<Counted> {
    let body = serving.agent.get(format!("{}/stats", serving.url)).call()?.into_body().read_to_vec()?;
    Ok(serde_json::from_slice(&body)?)
}

/// Events acknowledged per second between two samples.
fn speed(from: &Moment, to: &Moment) -> f64 {
    rate(to.counted.received - from.counted.received, to.at - from.at)
}

fn summarize(moments: &[Moment], report: &mut Report) {
    let [first, .., last] = moments else { return };
    report.add("events answered", speed(first, last), "events/s");
    let windows = || moments.windows(2).filter_map(|pair| Some(speed(pair.first()?, pair.last()?)));
    report.add("events answered, slowest 10 s", windows().fold(f64::INFINITY, f64::min), "events/s");
    report.add("events answered, fastest 10 s", windows().fold(0.0, f64::max), "events/s");
    let is_large = |moment: &&Moment| moment.counted.unique_processed >= MANY_IDS;
    if let Some(large) = moments.iter().find(is_large).filter(|large| large.at < last.at) {
        report.add("events answered, from 100 million ids on", speed(large, last), "events/s");
    }
    report.add("events stored", last.counted.unique_processed as f64, "events");
    report.add("bytes a stored event", last.disk_bytes as f64 / last.counted.unique_processed.max(1) as f64, "B");
}

/// The figures of each 10 seconds.
fn report_windows(moments: &[Moment], report: &mut Report) {
    for (number, pair) in moments.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        let until = (number as u64 + 1) * LOOK_EVERY.as_secs();
        report.add(format!("until {until} s: events answered"), speed(from, to), "events/s");
        report.add(format!("until {until} s: server's memory"), to.resident_bytes as f64 / 1e6, "MB");
        report.add(format!("until {until} s: files"), to.disk_bytes as f64 / 1e9, "GB");
    }
}
