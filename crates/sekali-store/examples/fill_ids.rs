//! Fills a dedup index alone and prints what it costs: `fill_ids IDS BATCH DIR`.
//!
//! Every batch is looked up before it is inserted, as a commit does. `DIR` must be empty or missing and is left behind.
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_store::disk::{Disk, RealDisk};
use sekali_store::ids::{Entry, Index, IndexOptions};
use sekali_store::manifest::ManifestFile;

/// Look-ups of known and of unknown ids that are timed and checked.
const SAMPLES: u64 = 10_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ids, batch, dir] = arguments.as_slice() else {
        return Err("usage: fill_ids IDS BATCH DIR".into());
    };
    let (ids, batch, dir) = (ids.parse::<u64>()?, batch.parse::<u64>()?, PathBuf::from(dir));
    let index = open(&dir)?;
    fill(&index, ids, batch)?;
    let before = Instant::now();
    while index.stats().tables_waiting > 0 || index.stats().merge_debt_bytes > 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("merges settled after another {:.2} s", before.elapsed().as_secs_f64());
    report(&index, "settled");
    look_up(&index, ids, batch, ids.min(SAMPLES), true)?;
    look_up(&index, ids, batch, ids.min(SAMPLES), false)?;
    index.flush()?;
    drop(index);

    let before = Instant::now();
    let index = open(&dir)?;
    println!("start-up {:.3} s, resident {} MB", before.elapsed().as_secs_f64(), resident_mb());
    assert_eq!(index.covered_seq(), ids);
    look_up(&index, ids, batch, ids.min(SAMPLES), true)
}

fn open(dir: &Path) -> Result<Index, Box<dyn Error>> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    disk.create_dir_all(dir)?;
    let manifest = Arc::new(ManifestFile::open(Arc::clone(&disk), &dir.join("MANIFEST"))?);
    Ok(Index::open(disk, dir.join("ids"), manifest, IndexOptions::default())?)
}

fn fill(index: &Index, ids: u64, batch: u64) -> Result<(), Box<dyn Error>> {
    let (start, mut lap, mut decile) = (Instant::now(), Instant::now(), 1);
    let (mut found, mut slowest) = (Vec::new(), Duration::ZERO);
    let mut at = 0;
    let (mut own_ns, mut all_ns) = (cpu_ns("thread-self"), process_cpu_ns());
    while at < ids {
        let entries: Vec<Entry> = (at + 1..=ids.min(at + batch)).map(entry).collect();
        let fingerprints: Vec<u128> = entries.iter().map(|entry| entry.fingerprint).collect();
        let before = Instant::now();
        index.look_up(&fingerprints, &mut found)?;
        assert!(found.is_empty(), "a new id was found");
        index.insert(&entries);
        slowest = slowest.max(before.elapsed());
        at += entries.len() as u64;
        if at * 10 / ids >= decile {
            let rate = ids as f64 / 10.0 / lap.elapsed().as_secs_f64();
            report(index, &format!("decile {decile}: {rate:.0} ids/s, slowest batch {} ms", slowest.as_millis()));
            let (own, all) = (cpu_ns("thread-self"), process_cpu_ns());
            let per_id = |from: u64, to: u64| (to - from) * 10 / ids;
            println!("    CPU an id: {} ns here, {} ns in all", per_id(own_ns, own), per_id(all_ns, all));
            (own_ns, all_ns) = (own, all);
            (lap, slowest, decile) = (Instant::now(), Duration::ZERO, at * 10 / ids + 1);
        }
    }
    println!("filled {ids} ids in batches of {batch}: {:.0} ids/s", ids as f64 / start.elapsed().as_secs_f64());
    Ok(())
}

fn look_up(index: &Index, ids: u64, batch: u64, samples: u64, known: bool) -> Result<(), Box<dyn Error>> {
    let before = index.stats();
    let (start, mut found, mut wrong) = (Instant::now(), Vec::new(), 0);
    let mut at = 0;
    while at < samples {
        let seqs: Vec<u64> = (at..samples.min(at + batch))
            .map(|sample| if known { mix(sample) % ids + 1 } else { ids + 1 + sample })
            .collect();
        let entries: Vec<Entry> = seqs.iter().map(|&seq| entry(seq)).collect();
        let fingerprints: Vec<u128> = entries.iter().map(|entry| entry.fingerprint).collect();
        found.clear();
        index.look_up(&fingerprints, &mut found)?;
        let expected = if known { entries.len() } else { 0 };
        wrong += found.len().abs_diff(expected);
        wrong += found.iter().filter(|(at, entry)| entries.get(*at) != Some(entry)).count();
        at += batch;
    }
    let rate = samples as f64 / start.elapsed().as_secs_f64();
    let after = index.stats();
    let per_look_up =
        |count: fn(&sekali_store::ids::IndexStats) -> u64| (count(&after) - count(&before)) as f64 / samples as f64;
    println!(
        "{} look-ups: {rate:.0}/s, {wrong} wrong, {:.4} reads and {:.5} false positives each",
        if known { "known" } else { "unknown" },
        per_look_up(|stats| stats.disk_reads),
        per_look_up(|stats| stats.false_positives),
    );
    if wrong == 0 { Ok(()) } else { Err("wrong answers".into()) }
}

fn report(index: &Index, what: &str) {
    let stats = index.stats();
    let entries = (stats.entries_in_runs.max(1)) as f64;
    println!(
        "{what}; {} runs, debt {} MB, resident {} MB, in runs {:.2} B an id on disk and {:.3} in memory{}",
        stats.runs,
        stats.merge_debt_bytes / 1_000_000,
        resident_mb(),
        stats.disk_bytes as f64 / entries,
        stats.filter_bytes as f64 / entries,
        stats.failed.map(|failed| format!(", FAILED: {failed}")).unwrap_or_default(),
    );
}

/// The id of a seq: as random as a real fingerprint.
fn entry(seq: u64) -> Entry {
    let upper = mix(seq);
    let fingerprint = u128::from(upper) << 64 | u128::from(mix(upper ^ 0x5bd1_e995));
    Entry { fingerprint, seq, content: !upper }
}

/// `SplitMix64`.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// CPU time that a thread of this process has taken.
fn cpu_ns(thread: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{thread}/schedstat")).unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn process_cpu_ns() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.map(|task| cpu_ns(&format!("self/task/{}", task.file_name().display()))).sum()
}

fn resident_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1000
}
