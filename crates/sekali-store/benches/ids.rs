//! The parts of the dedup index: table, filter, run and merge.
//! `cargo bench -p sekali-store --bench ids`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should say why and stop")]

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sekali_store::bench_support::{DedupIndex, Entry, IndexRun, KeyFilters, KeyTable, sort_batch as sort_keys};
use sekali_testkit::random::mix;

const BATCH: u64 = 10_000;
const CHUNK: u64 = 143_360;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 10)]
fn table_insert(bencher: Bencher) {
    let entries: Vec<_> = (1..=1 << 20).map(entry).collect();
    let bencher = bencher.counter(ItemsCount::new(entries.len()));
    bencher.with_inputs(|| KeyTable::new(entries.len())).bench_values(|mut table| {
        table.insert(&entries).unwrap();
        table
    });
}

#[divan::bench(sample_count = 10)]
fn table_insert_in_memory(bencher: Bencher) {
    let entries: Vec<_> = (1..=1 << 20).map(entry).collect();
    let bencher = bencher.counter(ItemsCount::new(entries.len()));
    bencher.with_inputs(|| KeyTable::in_memory(entries.len())).bench_values(|mut table| {
        table.insert(&entries).unwrap();
        table
    });
}

#[divan::bench(sample_count = 10)]
fn table_sort(bencher: Bencher) {
    let mut table = KeyTable::new(1 << 20);
    table.insert(&(1..=1 << 20).map(entry).collect::<Vec<_>>()).unwrap();
    let bencher = bencher.counter(ItemsCount::new(1_u64 << 20));
    bencher.bench_local(|| table.sorted().unwrap().map(|entry| entry.seq).fold(0, |a, b| a ^ b));
}

#[divan::bench]
fn table_miss(bencher: Bencher) {
    let mut table = KeyTable::new(1 << 20);
    table.insert(&(1..=1 << 20).map(entry).collect::<Vec<_>>()).unwrap();
    let mut from = 1 << 30;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        from += BATCH;
        table.look_up(black_box(&fingerprints(from)), &mut Vec::new());
    });
}

#[divan::bench(args = [8, 9, 16], sample_count = 10)]
fn filter_build(bencher: Bencher, bits: u32) {
    let keys: Vec<u64> = sorted(1, CHUNK).iter().map(|entry| (entry.fingerprint >> 64) as u64).collect();
    let bencher = bencher.counter(ItemsCount::new(CHUNK));
    bencher.with_inputs(KeyFilters::default).bench_values(|mut filters| {
        filters.build(&keys, bits);
        filters
    });
}

/// A batch of unknown keys against one run: only filters are read, except for 1 key in 256.
#[divan::bench(args = [1_000_000, 4_000_000, 16_000_000])]
fn run_miss(bencher: Bencher, entries: u64) {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), entries);
    let mut from = 1 << 30;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        from += BATCH;
        look_up(&run, &fingerprints(from))
    });
}

/// A batch of known keys against one run that is in the page cache.
#[divan::bench(args = [1_000_000, 16_000_000])]
fn run_hit(bencher: Bencher, entries: u64) {
    let dir = tempfile::tempdir().unwrap();
    let run = run(dir.path(), entries);
    let mut from = 0;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        from = (from + BATCH * 7) % (entries - BATCH);
        look_up(&run, &fingerprints(from + 1))
    });
}

/// The cost of a batch before the first run is read, including the generation of its ids.
#[divan::bench]
fn sort_batch(bencher: Bencher) {
    let mut from = 1 << 30;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        from += BATCH;
        sort_keys(&fingerprints(from)).unwrap()
    });
}

/// Four tables flushed to runs and merged into one: the whole background cost of an id up to level
/// 1.
#[divan::bench(sample_count = 3)]
fn flush_and_merge(bencher: Bencher) {
    let entries: Vec<_> = (1..=4 << 20).map(entry).collect();
    bencher.counter(ItemsCount::new(entries.len())).with_inputs(|| tempfile::tempdir().unwrap()).bench_values(|dir| {
        let index = DedupIndex::open(dir.path(), false).unwrap();
        index.insert(&entries).unwrap();
        while index.step().unwrap() {}
        assert_eq!(index.stats().runs, 1);
        dir
    });
}

fn look_up(run: &IndexRun, fingerprints: &[u128]) -> usize {
    let mut found = Vec::new();
    run.look_up(fingerprints, &mut found).unwrap();
    found.len()
}

fn run(dir: &Path, entries: u64) -> IndexRun {
    IndexRun::write(dir, &sorted(1, entries), 9).unwrap()
}

fn sorted(first: u64, count: u64) -> Vec<Entry> {
    let mut entries: Vec<_> = (first..first + count).map(entry).collect();
    entries.sort_unstable();
    entries
}

fn fingerprints(first: u64) -> Vec<u128> {
    (first..first + BATCH).map(|seq| entry(seq).fingerprint).collect()
}

fn entry(seq: u64) -> Entry {
    let upper = mix(seq);
    Entry { fingerprint: u128::from(upper) << 64 | u128::from(mix(upper ^ 0x5bd1_e995)), seq, content: !upper }
}
