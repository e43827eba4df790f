//! The check of a whole store finds what is wrong, and nothing where nothing is.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::read_all;
use sekali_store::{Error, Finding, Store, Tuning, Verification};

use crate::support::{BUSY, DIR, LOG_ONLY, Opened, RULES, Random, Sent, files};

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

/// What a check finds when bit 0 of this byte is flipped in each file with this ending.
fn found_after(disk: &MemoryDisk, tuning: Tuning, ending: &str, at: usize) -> Vec<Finding> {
    let disk = disk.kill();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    files(&disk, ending).iter().for_each(|path| assert!(disk.corrupt(path, |bytes| bytes[at] ^= 1)));
    verify(&mut opened).findings
}

#[test]
fn what_is_wrong_is_found() {
    let disk = filled(LOG_ONLY);
    let found = found_after(&disk, LOG_ONLY, "log", 5_000);
    assert!(matches!(found[..], [Finding::Lost(_)]), "{found:?}");
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
            // Nobody has synced what follows, and its commit is not written to its end.
            let copy = disk.kill();
            let last = files(&copy, "log").pop().unwrap();
            copy.corrupt(&last, |bytes| bytes.extend([5; 70]));
            let before: Vec<_> = copy.paths().into_iter().map(|path| read_all(&copy, &path).unwrap()).collect();
            let store = Store::open_frozen(&copy, Path::new(DIR), RULES).unwrap();
            let mut frozen = store.into_partitions().pop().unwrap();
            assert_eq!(frozen.verify(|_| {}).unwrap(), Verification { events: id + 1, ..Verification::default() });
            drop(frozen);
            let after: Vec<_> = copy.paths().into_iter().map(|path| read_all(&copy, &path).unwrap()).collect();
            assert!(before == after, "something was written");
        }
    }
    let store = Store::open_frozen(&disk, Path::new(DIR), RULES).unwrap();
    assert!(matches!(Opened::open(&disk), Err(Error::Locked(_))), "the owner has the lock still");
    drop(store);
    for run in files(&disk, "run") {
        disk.corrupt(&run, |bytes| bytes.truncate(5_000));
    }
    assert!(matches!(Store::open_frozen(&disk, Path::new(DIR), RULES), Err(Error::Damaged { .. })));
}
