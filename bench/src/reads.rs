//! Reads from a sealed store, and the same reads from `SQLite` with the same events and suitable
//! indexes.

mod sealed;
mod sqlite;

use std::path::Path;
use std::time::Instant;

use clap::Args;
use sekali_testkit::random::mix;

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{Generator, bytes_below, rate};

pub(crate) use sealed::Sealed;

/// Options of the reads.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadsSpec {
    /// Events to store, none of them repeats
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    pub(crate) events: u64,
    /// Look-ups and pages that are timed
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) samples: u64,
}

/// Length of a payload: 330 bytes as a line of JSON.
pub(crate) const PAYLOAD_BYTES: usize = 200;
/// Events of a page.
const PAGE: usize = 100;

/// A source of events.
trait Source {
    /// The payload of the event with this key.
    fn find(&self, topic: &str, event_id: &str) -> Outcome<Option<Vec<u8>>>;
    /// The number of events of a topic behind this seq, at most `limit`. All of each event is read.
    fn page(&self, topic: &str, after: u64, limit: usize) -> Outcome<usize>;
}

/// Measures, in a temporary directory in `scratch_dir`.
pub(crate) fn run(spec: &ReadsSpec, scratch_dir: &Path) -> Outcome<Report> {
    let dir = tempfile::tempdir_in(scratch_dir)?;
    let mut report = Report::new(format!("reads: {} events, payloads of {PAYLOAD_BYTES} bytes", spec.events));
    let data = dir.path().join("store");
    let filled = Instant::now();
    let store = Sealed::fill(&data, spec.events)?;
    report.add("store: filled and sealed", rate(spec.events, filled.elapsed()), "events/s");
    report.add("store: segments, an event", bytes_below(&data, ".parquet") as f64 / spec.events as f64, "B");
    measure("store", &store, spec, &mut report)?;
    drop(store);
    let file = dir.path().join("events.db");
    let filled = Instant::now();
    let sqlite = sqlite::Sqlite::fill(&file, spec.events)?;
    report.add("SQLite: filled and indexed", rate(spec.events, filled.elapsed()), "events/s");
    report.add("SQLite: file, an event", std::fs::metadata(&file)?.len() as f64 / spec.events as f64, "B");
    measure("SQLite", &sqlite, spec, &mut report)?;
    Ok(report)
}

fn measure(name: &str, source: &impl Source, spec: &ReadsSpec, report: &mut Report) -> Outcome<()> {
    let mut generator = Generator::new(PAYLOAD_BYTES);
    let mut times = Vec::new();
    for sample in 0..spec.samples {
        let event = generator.event(mix(sample) % spec.events);
        let before = Instant::now();
        let found = source.find(event.topic, event.event_id)?;
        times.push(before.elapsed());
        if found.as_deref() != Some(event.payload) {
            return Err(format!("{name} does not find event {}", event.event_id).into());
        }
    }
    report.add_percentiles(&format!("{name}: one event by id"), &mut times);
    let topics: Vec<String> = (0..100).map(|number| generator.event(number).topic.to_owned()).collect();
    times.clear();
    for sample in 0..spec.samples / 10 {
        let topic = &topics[sample as usize % topics.len()];
        let before = Instant::now();
        source.page(topic, 0, PAGE)?;
        times.push(before.elapsed());
    }
    report.add_percentiles(&format!("{name}: first page of a topic"), &mut times);
    times.clear();
    for sample in 0..spec.samples / 10 {
        let topic = &topics[sample as usize % topics.len()];
        let before = Instant::now();
        source.page(topic, mix(sample) % spec.events, PAGE)?;
        times.push(before.elapsed());
    }
    report.add_percentiles(&format!("{name}: any page of a topic"), &mut times);
    let before = Instant::now();
    let events = source.page(&topics[0], 0, usize::MAX)?;
    report.add(format!("{name}: scan of a topic"), rate(events as u64, before.elapsed()), "events/s");
    Ok(())
}
