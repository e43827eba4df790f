//! The process that fills a store.

use std::path::Path;
use std::time::{Duration, Instant};

use sekali_store::{Batch, KeyHasher, Outcome as Decided};
use sekali_testkit::random::mix;

use super::{StoreSpec, hasher, open};
use crate::Outcome;
use crate::figures::Report;
use crate::measure::{Cpu, Deciles, Generator, rate, resident_bytes};

/// Bytes of an event as a line of JSON besides its texts.
const JSON_BYTES: usize =
    r#"{"topic":"","event_id":"","timestamp":"2025-10-09T08:53:20.123456789Z","source":"","payload":}"#.len() + 1;

/// Publishes all events into a new store in `data`, which stays open on return, like a server's.
pub(crate) fn fill(spec: &StoreSpec, data: &Path) -> Outcome<Report> {
    let mut partition = open(data)?;
    let mut report = Report::new(format!(
        "store: {} events in commits of {}, {}% repeats, payloads of {} bytes",
        spec.events, spec.commit, spec.duplicates, spec.payload_bytes,
    ));
    let mut source = Source::new(spec);
    let (mut deciles, mut preparing) = (Deciles::new(spec.events), Duration::ZERO);
    let cpu = Cpu::now();
    while source.at < spec.events {
        let before = Instant::now();
        let (batch, expected) = source.batch();
        preparing += before.elapsed();
        let before = Instant::now();
        let outcomes = partition.commit(&[batch], source.at as i64, None)?;
        deciles.add(expected.len() as u64, before.elapsed());
        check(&expected, outcomes.first().map_or(&[], Vec::as_slice))?;
    }
    deciles.report("events committed", "events/s", &mut report);
    report.add("events made and hashed, same thread", rate(spec.events, preparing), "events/s");
    report.add("both one after the other", rate(spec.events, preparing + deciles.time()), "events/s");
    report.add("CPU an event, with making and merges", cpu.process_ns_each(spec.events), "ns");
    report.add("resident after filling", resident_bytes() as f64 / 1e6, "MB");
    report.add("bytes an event as JSON", source.json_bytes as f64 / spec.events as f64, "B");
    // Closing it would write more than a killed process does.
    std::mem::forget(partition);
    Ok(report)
}

/// The events in the order in which they are published.
struct Source<'a> {
    spec: &'a StoreSpec,
    generator: Generator,
    hasher: KeyHasher,
    /// Events so far.
    at: u64,
    json_bytes: usize,
}

impl<'a> Source<'a> {
    fn new(spec: &'a StoreSpec) -> Self {
        let generator = Generator::new(spec.payload_bytes as usize);
        Self { spec, generator, hasher: hasher(), at: 0, json_bytes: 0 }
    }

    /// The events of the next commit, and their expected outcomes.
    fn batch(&mut self) -> (Batch, Vec<Decided>) {
        let end = self.spec.events.min(self.at + self.spec.commit);
        let (mut batch, mut expected) = (Batch::new(), Vec::new());
        for at in self.at..end {
            let known = self.spec.unique(at);
            let number = if self.spec.unique(at + 1) > known { known } else { mix(at) % known };
            let event = self.generator.event(number);
            self.json_bytes +=
                JSON_BYTES + event.topic.len() + event.event_id.len() + event.source.len() + event.payload.len();
            batch.push(&self.hasher, &event);
            let seq = number + 1;
            expected.push(if number == known { Decided::Stored { seq } } else { Decided::Duplicate { seq } });
        }
        self.at = end;
        (batch, expected)
    }
}

/// Every outcome is known beforehand: seqs ascend, and repeats get the seq of their original.
pub(super) fn check(expected: &[Decided], found: &[Decided]) -> Outcome<()> {
    if expected == found {
        return Ok(());
    }
    let wrong = expected.iter().zip(found).find(|(expected, found)| expected != found);
    Err(format!("wrong outcomes, the first of them expected and found: {wrong:?}").into())
}
