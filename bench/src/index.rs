//! Fills the dedup index alone, looks keys up, and opens it again.
//!
//! Every batch is looked up before it is inserted, as in a commit. The generation of ids is not
//! measured.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use sekali_store::bench_support::{DedupIndex, Entry};
use sekali_testkit::random::mix;

use crate::Outcome;
use crate::figures::Report;
use crate::measure::{Cpu, Deciles, entry, rate, resident_bytes};

/// Options of the index.
#[derive(Debug, Clone, Args)]
pub(crate) struct IndexSpec {
    /// Ids to fill it with
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10..))]
    pub(crate) ids: u64,
    /// Ids in a batch
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) batch: u64,
    /// Look-ups of known ids, and as many of unknown ones, that are timed and checked; at most the
    /// number of ids
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) samples: u64,
}

/// The most ids for which a map in memory is filled for comparison, at about 100 bytes each.
const COMPARED_MAX: u64 = 20_000_000;

/// Measures, in a temporary directory in `scratch_dir`.
pub(crate) fn run(spec: &IndexSpec, scratch_dir: &Path) -> Outcome<Report> {
    let dir = tempfile::tempdir_in(scratch_dir)?;
    let mut report = Report::new(format!("index alone: {} ids in batches of {}", spec.ids, spec.batch));
    let index = open(dir.path())?;
    fill(&index, spec, &mut report)?;
    settle(&index, &mut report)?;
    look_up(&index, spec, true, &mut report)?;
    look_up(&index, spec, false, &mut report)?;
    drop(index);
    reopen(dir.path(), spec, &mut report)?;
    compare(spec, &mut report);
    Ok(report)
}

fn open(dir: &Path) -> Outcome<DedupIndex> {
    Ok(DedupIndex::open(dir, true)?)
}

fn fill(index: &DedupIndex, spec: &IndexSpec, report: &mut Report) -> Outcome<()> {
    let mut deciles = Deciles::new(spec.ids);
    let mut found = Vec::new();
    let (cpu, mut making_ns) = (Cpu::now(), 0.0);
    for from in (1..=spec.ids).step_by(spec.batch as usize) {
        let before = Cpu::now();
        let (entries, fingerprints) = batch(from..=spec.ids.min(from + spec.batch - 1), |seq| seq);
        making_ns += before.thread_ns_each(spec.ids);
        let before = Instant::now();
        index.look_up(&fingerprints, &mut found)?;
        index.insert(&entries)?;
        deciles.add(entries.len() as u64, before.elapsed());
        if let Some((_, wrong)) = found.first() {
            return Err(format!("a new id was found as seq {}", wrong.seq).into());
        }
    }
    deciles.report("ids inserted", "ids/s", report);
    report.add("CPU an id, inserting thread", cpu.thread_ns_each(spec.ids) - making_ns, "ns");
    report.add("CPU an id, with merges", cpu.process_ns_each(spec.ids) - making_ns, "ns");
    report.add("resident after filling", resident_bytes() as f64 / 1e6, "MB");
    Ok(())
}

fn batch(numbers: impl Iterator<Item = u64>, seq: impl Fn(u64) -> u64) -> (Vec<Entry>, Vec<u128>) {
    let entries: Vec<Entry> = numbers.map(|number| entry(seq(number))).collect();
    let fingerprints = entries.iter().map(|entry| entry.fingerprint).collect();
    (entries, fingerprints)
}

/// Flushes the tables in memory to a run and waits for merges.
fn settle(index: &DedupIndex, report: &mut Report) -> Outcome<()> {
    let before = Instant::now();
    index.flush()?;
    while index.stats().tables_waiting > 0 || index.stats().merge_debt_bytes > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let stats = index.stats();
    let entries = stats.entries_in_runs.max(1) as f64;
    report.add("merges settled after", before.elapsed().as_secs_f64(), "s");
    report.add("runs", stats.runs as f64, "");
    report.add("bytes an id on disk", stats.disk_bytes as f64 / entries, "B");
    report.add("bytes an id of filters", stats.filter_bytes as f64 / entries, "B");
    report.add("resident when settled", resident_bytes() as f64 / 1e6, "MB");
    Ok(())
}

fn look_up(index: &DedupIndex, spec: &IndexSpec, known: bool, report: &mut Report) -> Outcome<()> {
    let what = if known { "hits" } else { "misses" };
    let samples = spec.samples.min(spec.ids);
    let before = index.stats();
    let (mut time, mut found, mut wrong) = (Duration::ZERO, Vec::new(), 0);
    for from in (0..samples).step_by(spec.batch as usize) {
        let seq = |sample| if known { mix(sample) % spec.ids + 1 } else { spec.ids + 1 + sample };
        let (entries, fingerprints) = batch(from..samples.min(from + spec.batch), seq);
        found.clear();
        let start = Instant::now();
        index.look_up(&fingerprints, &mut found)?;
        time += start.elapsed();
        wrong += found.len().abs_diff(if known { entries.len() } else { 0 });
        wrong += found.iter().filter(|(at, entry)| entries.get(*at) != Some(entry)).count();
    }
    let after = index.stats();
    report.add(what, rate(samples, time), "ids/s");
    report.add(format!("{what}, samples"), samples as f64, "");
    report.add(format!("{what}, wrong"), wrong as f64, "");
    report.add(format!("{what}, reads each"), (after.disk_reads - before.disk_reads) as f64 / samples as f64, "");
    let false_positives = after.false_positives - before.false_positives;
    report.add(format!("{what}, false positives each"), false_positives as f64 / samples as f64, "");
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {samples} {what} were wrong").into()) }
}

fn reopen(dir: &Path, spec: &IndexSpec, report: &mut Report) -> Outcome<()> {
    let before = Instant::now();
    let index = open(dir)?;
    report.add("start-up after flush", before.elapsed().as_secs_f64(), "s");
    if index.covered_seq() != spec.ids {
        return Err(format!("{} ids are covered after {} were flushed", index.covered_seq(), spec.ids).into());
    }
    Ok(())
}

/// Inserts the same ids into a map in memory, to show the cost of being durable and small.
fn compare(spec: &IndexSpec, report: &mut Report) {
    if spec.ids > COMPARED_MAX {
        return;
    }
    let (mut map, mut time, mut known) = (HashMap::new(), Duration::ZERO, 0_u64);
    for from in (1..=spec.ids).step_by(spec.batch as usize) {
        let (entries, _) = batch(from..=spec.ids.min(from + spec.batch - 1), |seq| seq);
        let before = Instant::now();
        for entry in entries {
            known += u64::from(map.insert(entry.fingerprint, (entry.seq, entry.content)).is_some());
        }
        time += before.elapsed();
    }
    let compared = rate(spec.ids + known, time);
    report.add("std HashMap, same ids", compared, "ids/s");
    if let Some(own) = report.get("ids inserted") {
        report.add("index / HashMap", own / compared, "");
    }
}
