//! Crashes and failures at every call that flushing and merging make.

use sekali_testkit::random::Random;

use super::*;
use crate::disk::memory::Fault;

const TABLES: u64 = 21;
const IDS: u64 = TABLES * TABLE_ENTRIES as u64 + 7;

/// Inserts until the end or the first refusal, with all background work done as it comes up.
fn fill(index: &TestIndex, entries: &[Entry]) {
    for entries in entries.chunks(30) {
        if index.index.health().is_err() {
            return;
        }
        index.index.insert(entries).unwrap();
        while index.index.step().is_ok_and(|more| more) {}
    }
}

/// Number of calls of an undisturbed fill.
fn calls_of_a_fill() -> u64 {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    let before = disk.calls();
    fill(&index, &entries(1, IDS));
    assert!(index.stats().runs < 8, "{:?}", index.stats());
    disk.calls() - before
}

/// The disk after a kill, after a power cut that loses everything it may lose, and after some that
/// lose a part.
fn crashes(disk: &MemoryDisk, seed: u64) -> Vec<MemoryDisk> {
    let mut random = Random(seed);
    let partial = (0..6).map(|_| disk.power_cut(&mut |bound| random.below(bound)));
    [disk.kill(), disk.power_cut(&mut |_| 0)].into_iter().chain(partial).collect()
}

#[test]
fn whichever_call_is_the_last_nothing_covered_is_lost() {
    let entries = entries(1, IDS);
    for call in 0..calls_of_a_fill() {
        let disk = MemoryDisk::new();
        let index = TestIndex::open(&disk).unwrap();
        disk.fail_from(disk.calls() + call, Fault::Eio);
        fill(&index, &entries);
        drop(index);
        for (case, disk) in crashes(&disk, call).into_iter().enumerate() {
            let index = TestIndex::open(&disk).unwrap_or_else(|error| panic!("call {call}, case {case}: {error}"));
            let covered = index.index.covered_seq() as usize;
            assert_has(&index, &entries[..covered]);
            assert_eq!(index.found(&fingerprints(&entries[covered..])), [], "call {call}, case {case}");
            fill(&index, &entries[covered..]);
            assert_has(&index, &entries);
            assert_only_live_files(&index);
        }
    }
}

#[test]
fn whichever_call_fails_once_the_index_goes_on_and_recovers() {
    let entries = entries(1, IDS);
    for call in 0..calls_of_a_fill() {
        let disk = MemoryDisk::new();
        let index = TestIndex::open(&disk).unwrap();
        disk.fail_call(disk.calls() + call, Fault::Eio);
        fill(&index, &entries);
        assert_has(&index, &entries);
        index.settle();
        assert_eq!(index.stats().failed, None, "call {call}");
        assert_has(&index, &entries);
        let index = index.reopen().unwrap();
        let covered = index.index.covered_seq() as usize;
        index.index.insert(&entries[covered..]).unwrap();
        assert_has(&index, &entries);
        assert_only_live_files(&index);
    }
}

#[test]
fn a_disk_that_fails_for_good_is_reported_before_memory_grows() {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    disk.fail_from(0, Fault::Eio);
    fill(&index, &entries(1, IDS));
    assert!(index.index.health().is_err());
    let stats = index.stats();
    assert!(stats.failed.is_some_and(|failed| failed.contains("Input/output error")));
    assert!(stats.entries_in_memory <= 4 * TABLE_ENTRIES as u64);
    assert_has(&index, &entries(1, stats.entries_in_memory));
    disk.mend();
    index.settle();
    assert!(index.index.health().is_ok());
    assert_eq!(index.stats().failed, None);
}

#[test]
fn without_a_manifest_nothing_is_deleted_and_no_number_is_used_twice() {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    index.index.insert(&entries(1, 120)).unwrap();
    index.index.flush().unwrap();
    drop(index);
    disk.remove(&manifest_path()).unwrap();
    let before = disk.paths();
    let index = TestIndex::open(&disk).unwrap();
    assert_eq!(index.index.covered_seq(), 0);
    assert_eq!(disk.paths(), before);
    index.index.insert(&entries(1, 120)).unwrap();
    index.index.flush().unwrap();
    assert_has(&index, &entries(1, 120));
    assert!(before.iter().all(|path| disk.paths().contains(path)));
    drop(index);
    let index = TestIndex::open(&disk).unwrap();
    assert_has(&index, &entries(1, 120));
    assert_only_live_files(&index);
}

fn assert_only_live_files(index: &TestIndex) {
    let index = TestIndex::open(&index.disk).unwrap();
    let files = index.disk.list(&ids_dir()).unwrap();
    let mut live: Vec<_> = manifest(&index.disk).unwrap().get().runs.iter().map(|run| run.number).collect();
    live.sort_unstable();
    assert_eq!(files, live.into_iter().map(super::super::run::file_name).collect::<Vec<_>>());
}
