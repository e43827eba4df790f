//! Reads over HTTP from a real server on a sealed store, and exports from it by the command line.
//!
//! The server is a process of its own, so that its memory can be measured. Its clients share the
//! machine.

mod exporting;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use sekali_testkit::random::mix;

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{Generator, rate};
use crate::reads::{PAYLOAD_BYTES, Sealed};
use crate::serving::{self, Serving};

/// Options of the reads.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServedSpec {
    /// Events to store, none of them repeats
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub(crate) events: u64,
    /// Look-ups and pages that are timed
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) samples: u64,
    /// The program to measure [default: the `sekali` beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) sekali: Option<PathBuf>,
}

/// Measures, in a temporary directory in `scratch_dir`.
pub(crate) fn run(spec: &ServedSpec, scratch_dir: &Path) -> Outcome<Report> {
    let sekali = serving::program(spec.sekali.as_deref())?;
    let dir = tempfile::tempdir_in(scratch_dir)?;
    let data = dir.path().join("store");
    let mut report = Report::new(format!("served: {} events, payloads of {PAYLOAD_BYTES} bytes", spec.events));
    drop(Sealed::fill(&data, spec.events)?);
    let started = Instant::now();
    let serving = Serving::start(&sekali, &data)?;
    report.add("start to ready", started.elapsed().as_secs_f64() * 1e3, "ms");
    report.add("server's memory when ready", serving.resident_bytes() as f64 / 1e6, "MB");
    look_up(&serving, spec, &mut report)?;
    stream(&serving, spec, &mut report)?;
    exporting::run(&sekali, &serving, dir.path(), spec.events, &mut report)?;
    report.add("server's memory, peak", serving.peak_bytes() as f64 / 1e6, "MB");
    Ok(report)
}

/// Single requests, one after the other on one connection.
fn look_up(serving: &Serving, spec: &ServedSpec, report: &mut Report) -> Outcome<()> {
    let mut generator = Generator::new(PAYLOAD_BYTES);
    let mut times = Vec::new();
    for sample in 0..spec.samples {
        let event = generator.event(mix(sample) % spec.events);
        let url = format!("{}/events/{}/{}", serving.url, event.topic, event.event_id);
        let before = Instant::now();
        let body = serving.agent.get(&url).call()?.into_body().read_to_vec()?;
        times.push(before.elapsed());
        if !body.windows(event.payload.len()).any(|window| window == event.payload) {
            return Err(format!("the server does not have event {}", event.event_id).into());
        }
    }
    report.add_percentiles("one event by id", &mut times);
    times.clear();
    for sample in 0..spec.samples / 5 {
        let url = format!("{}/events?topic={}&limit=100", serving.url, generator.event(sample).topic);
        let before = Instant::now();
        serving.agent.get(&url).call()?.into_body().read_to_vec()?;
        times.push(before.elapsed());
    }
    report.add_percentiles("first page of a topic, 100 events", &mut times);
    Ok(())
}

/// Whole streams of NDJSON; lines are counted.
fn stream(serving: &Serving, spec: &ServedSpec, report: &mut Report) -> Outcome<()> {
    let topic = Generator::new(PAYLOAD_BYTES).event(0).topic.to_owned();
    let mut scan = |name: &str, query: &str| -> Outcome<u64> {
        let before = Instant::now();
        let lines = lines(&serving.agent, &format!("{}/events{query}", serving.url))?;
        report.add(format!("{name} as NDJSON"), rate(lines, before.elapsed()), "events/s");
        report.add(format!("server's memory, peak, after the {name}"), serving.peak_bytes() as f64 / 1e6, "MB");
        Ok(lines)
    };
    scan("scan of a topic", &format!("?topic={topic}"))?;
    let all = scan("scan of everything", "")?;
    if all == spec.events { Ok(()) } else { Err(format!("{all} of {} events came", spec.events).into()) }
}

fn lines(agent: &ureq::Agent, url: &str) -> Outcome<u64> {
    let mut reader = agent.get(url).header("accept", "application/x-ndjson").call()?.into_body().into_reader();
    let (mut lines, mut buffer) = (0, vec![0; 256 * 1024]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(lines),
            len => lines += buffer.iter().take(len).filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}
