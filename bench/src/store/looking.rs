//! Looks up known and unknown events in a store, and publishes known ones again.

use std::time::{Duration, Instant};

use sekali_store::{Batch, Outcome as Decided, Partition, Reader};
use sekali_testkit::random::mix;

use super::filling::check;
use super::{StoreSpec, hasher};
use crate::Outcome;
use crate::figures::Report;
use crate::measure::{Generator, rate};

/// Samples are spread over the whole store, to avoid help from caches and neighbours.
pub(super) fn run(mut partition: Partition, spec: &StoreSpec, report: &mut Report) -> Outcome<Partition> {
    let (reader, stored) = (partition.reader(), spec.unique(spec.events));
    let samples = spec.samples.min(stored);
    find(&reader, spec, stored, samples, true, report)?;
    find(&reader, spec, stored, samples, false, report)?;
    repeat(&mut partition, spec, stored, samples, report)?;
    Ok(partition)
}

/// One event after the other. A hit reads the event and compares all of it.
fn find(reader: &Reader, spec: &StoreSpec, stored: u64, samples: u64, known: bool, report: &mut Report) -> Outcome<()> {
    let what = if known { "hits" } else { "misses" };
    let mut generator = Generator::new(spec.payload_bytes as usize);
    let (mut time, mut wrong) = (Duration::ZERO, 0);
    for sample in 0..samples {
        let number = if known { mix(sample) % stored } else { stored + sample };
        let event = generator.event(number);
        let before = Instant::now();
        let found = reader.find(event.topic, event.event_id)?;
        time += before.elapsed();
        let right = match found {
            Some(found) => known && found.seq == number + 1 && found.payload == event.payload,
            None => !known,
        };
        wrong += u64::from(!right);
    }
    report.add(format!("{what}, one by one"), rate(samples, time), "events/s");
    report.add(format!("{what}, samples"), samples as f64, "");
    report.add(format!("{what}, wrong"), wrong as f64, "");
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {samples} {what} were wrong").into()) }
}

/// Commits of repeats only, each of which must get the seq of its original.
fn repeat(partition: &mut Partition, spec: &StoreSpec, stored: u64, samples: u64, report: &mut Report) -> Outcome<()> {
    let (mut generator, hasher) = (Generator::new(spec.payload_bytes as usize), hasher());
    let mut time = Duration::ZERO;
    for from in (0..samples).step_by(spec.commit as usize) {
        let numbers: Vec<u64> = (from..samples.min(from + spec.commit)).map(|sample| mix(!sample) % stored).collect();
        let mut batch = Batch::new();
        numbers.iter().for_each(|&number| batch.push(&hasher, &generator.event(number)));
        let before = Instant::now();
        let outcomes = partition.commit(&[batch], i64::MIN, None)?;
        time += before.elapsed();
        let expected: Vec<_> = numbers.iter().map(|number| Decided::Duplicate { seq: number + 1 }).collect();
        check(&expected, outcomes.first().map_or(&[], Vec::as_slice))?;
    }
    report.add("repeats committed", rate(samples, time), "events/s");
    Ok(())
}
