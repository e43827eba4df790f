//! `verify` finds every fault in a store, and nothing in a sound one.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk as _, read_all};
use sekali_store::{Error, Finding, IndexOptions, Tuning, Verification};

use crate::support::{BUSY, DIR, LOG_ONLY, Opened, Random, RandomEvents as _, Sent, files, options};

fn verify(opened: &mut Opened) -> Verification {
    opened.partition.verify(|_| {}).unwrap()
}

#[test]
fn a_sound_store_has_no_findings_even_with_collisions_and_conflicts() {
    for fingerprint_mask in [u128::MAX, 7 << 99] {
        let tuning = Tuning { fingerprint_mask, ..BUSY };
        let disk = MemoryDisk::new();
        let (mut opened, mut random) = (Opened::open_with(&disk, tuning).unwrap(), Random(4));
        for _ in 0..80 {
            opened.commit(&random.events()).unwrap();
        }
        let events = opened.reader().last_seq();
        assert!(opened.reader().counters().conflicts > 5, "{:?}", opened.reader().counters());
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        // A forgotten index comes back.
        opened.partition.forget_index().unwrap();
        opened.commit(&[Sent::new("t", 1, "p")]).unwrap_err();
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
    }
}

fn filled(tuning: Tuning) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for id in 0..100 {
        opened.commit(&[Sent::new("t", id, "payload")]).unwrap();
    }
    disk
}

/// The findings of a check after bit 0 of this byte is flipped in each file with this ending.
fn found_after(disk: &MemoryDisk, tuning: Tuning, ending: &str, at: usize) -> Vec<Finding> {
    let disk = disk.kill();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    files(&disk, ending).iter().for_each(|path| assert!(disk.corrupt(path, |bytes| bytes[at] ^= 1)));
    verify(&mut opened).findings
}

#[test]
fn what_is_wrong_is_found() {
    let disk = filled(LOG_ONLY);
    // An event, and the header of a commit.
    let found = found_after(&disk, LOG_ONLY, "log", 5_150);
    assert!(matches!(found[..], [Finding::Lost(_)]), "{found:?}");
    let found = found_after(&disk, LOG_ONLY, "log", 5_000);
    assert!(matches!(found[..], [Finding::Flaw(_)]), "{found:?}");
    let found = found_after(&disk, LOG_ONLY, "run", 5_000);
    let index = |finding: &Finding| matches!(finding, Finding::IndexDamaged(_) | Finding::Flaw(_));
    assert!(found.len() > 1 && found.iter().all(index), "{found:?}");
    let found = found_after(&filled(BUSY), BUSY, "parquet", 40);
    assert!(!found.is_empty() && found.iter().all(|finding| matches!(finding, Finding::Lost(_))), "{found:?}");
    let found = found_after(&filled(BUSY), BUSY, "parquet", 0);
    assert!(!found.is_empty() && found.iter().all(|finding| matches!(finding, Finding::Flaw(_))), "{found:?}");
}

#[test]
fn a_store_in_use_is_checked_as_it_is_at_one_moment_and_not_touched() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    for id in 0..300 {
        opened.commit(&[Sent::new("t", id, "payload")]).unwrap();
        if id % 50 == 0 {
            // The following bytes are not synced, and their commit is incomplete.
            let copy = disk.kill();
            let last = files(&copy, "log").pop().unwrap();
            copy.corrupt(&last, |bytes| bytes.extend([5; 70]));
            let before: Vec<_> = copy.paths().into_iter().map(|path| read_all(&copy, &path).unwrap()).collect();
            let store = options(&copy).open_frozen(Path::new(DIR)).unwrap();
            let mut frozen = store.into_partitions().pop().unwrap();
            assert_eq!(frozen.verify(|_| {}).unwrap(), Verification { events: id + 1, ..Verification::default() });
            drop(frozen);
            let after: Vec<_> = copy.paths().into_iter().map(|path| read_all(&copy, &path).unwrap()).collect();
            assert!(before == after, "something was written");
        }
    }
    let store = options(&disk).open_frozen(Path::new(DIR)).unwrap();
    assert!(matches!(Opened::open(&disk), Err(Error::Locked(_))), "the owner has the lock still");
    drop(store);
}

#[test]
fn a_store_in_use_is_checked_to_its_end_although_runs_of_its_index_do_not_open() {
    let disk = filled(LOG_ONLY);
    let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let runs = files(&disk, "run");
    assert!(runs.len() > 2);
    disk.corrupt(&runs[0], |bytes| bytes.truncate(5_000));
    disk.remove(&runs[1]).unwrap();
    // A run that opens and is damaged inside, and lost events.
    disk.corrupt(&runs[2], |bytes| bytes[5_000] ^= 1);
    files(&disk, "log").iter().for_each(|path| assert!(disk.corrupt(path, |bytes| bytes[5_150] ^= 1)));
    let store = options(&disk).open_frozen(Path::new(DIR)).unwrap();
    let mut frozen = store.into_partitions().pop().unwrap();
    let found = frozen.verify(|_| {}).unwrap();
    let [Finding::IndexDamaged(index), Finding::Flaw(flaw), Finding::Lost(lost)] = &found.findings[..] else {
        panic!("{found:?}")
    };
    let named = |text: &str, run: usize| text.contains(runs[run].file_name().unwrap().to_str().unwrap());
    assert!(named(index, 0) && named(index, 1) && !named(index, 2) && named(flaw, 2), "{index}, {flaw}");
    assert_eq!(found.events, 100 - (lost.last_seq - lost.first_seq + 1), "all that is there was read");
    assert!(found.findings[0].advice().contains("--rebuild-index"));
    let batch = opened.batch(&[Sent::new("t", "new", "p")]);
    assert!(matches!(frozen.commit(&[batch], 0, None), Err(Error::Stopped(_))), "nothing can be told from duplicates");
}

#[test]
fn an_index_that_cannot_be_read_keeps_nothing_else_from_being_checked() {
    let disk = MemoryDisk::new();
    let tuning = Tuning { index: IndexOptions { table_entries: 1_000, background: false }, ..LOG_ONLY };
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for first in (0..12_000).step_by(1_000) {
        opened.commit(&(first..first + 1_000).map(|id| Sent::new("t", id, "p")).collect::<Vec<_>>()).unwrap();
    }
    files(&disk, "run").iter().for_each(|run| assert!(disk.corrupt(run, |bytes| bytes[5_000] ^= 1)));
    let found = verify(&mut opened);
    assert_eq!(found.events, 12_000, "more than are checked at a time");
    let index = |finding: &Finding| matches!(finding, Finding::IndexDamaged(_) | Finding::Flaw(_));
    assert!(found.findings.len() > 1 && found.findings.iter().all(index), "{found:?}");
}
