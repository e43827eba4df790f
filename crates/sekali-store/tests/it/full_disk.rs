//! Full disks: every acknowledged event is stored, the log is never damaged, and writing resumes by
//! itself.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk, create_afresh};
use sekali_store::{Error, Outcome, Verification};

use crate::support::{BUSY, DIR, Opened, Oracle, Sent, files};

const COMMITS: u64 = 30;

fn events(commit: u64) -> Vec<Sent> {
    (0..3).map(|n| Sent::new("t", commit * 3 + n, format!("payload of {commit} {n}").repeat(3))).collect()
}

/// Commits as much as fits. Refusals are for lack of space, before the log is changed.
fn commit_all(opened: &mut Opened, oracle: &mut Oracle, what: &str) -> u64 {
    let mut refused = 0;
    for commit in 0..COMMITS {
        match opened.commit(&events(commit)) {
            Ok(outcomes) => oracle.told(&events(commit), &outcomes),
            Err(Error::StorageFull { .. }) => refused += 1,
            Err(error) => panic!("{what}: commit {commit}: {error}"),
        }
    }
    assert_eq!(opened.reader().stopped(), None, "{what}");
    refused
}

/// Restarts on a disk that another program has filled to the last byte.
fn restart_when_full(disk: &MemoryDisk, oracle: &mut Oracle, what: &str) -> Opened {
    let new = [Sent::new("t", "new", "p")];
    for _ in 0..3 {
        disk.set_full(true);
        let mut opened = Opened::open(disk).unwrap_or_else(|error| panic!("{what}: no start on a full disk: {error}"));
        oracle.check(&opened);
        match opened.commit(&new) {
            // Sealing has made some room.
            Ok(outcomes) => oracle.told(&new, &outcomes),
            Err(error) => assert!(matches!(error, Error::StorageFull { .. }), "{what}: {error}"),
        }
    }
    Opened::open(disk).unwrap()
}

#[test]
fn a_disk_of_any_size_that_fills_up_loses_nothing_and_goes_on_when_freed() {
    let enough = {
        let disk = MemoryDisk::new();
        let mut opened = Opened::open(&disk).unwrap();
        assert_eq!(commit_all(&mut opened, &mut Oracle::default(), "endless disk"), 0);
        disk.used_bytes()
    };
    let (mut refused, mut sizes) = (0, 0);
    for capacity in (4_000..enough + 4_000).step_by(397) {
        let what = format!("{capacity} bytes");
        let (disk, mut oracle) = (MemoryDisk::new(), Oracle::default());
        disk.set_capacity(Some(capacity));
        let mut opened = match Opened::open(&disk) {
            Ok(opened) => opened,
            Err(error) => {
                assert!(error.is_full(), "{what}: {error}");
                continue;
            }
        };
        refused += commit_all(&mut opened, &mut oracle, &what);
        oracle.check(&opened);
        drop(opened);
        let mut opened = restart_when_full(&disk, &mut oracle, &what);
        // Another program frees space, and no restart is needed.
        disk.set_full(false);
        assert_eq!(commit_all(&mut opened, &mut oracle, &what), 0);
        oracle.check(&opened);
        oracle.check_resend(&mut opened);
        let events = opened.reader().last_seq();
        assert_eq!(opened.partition.verify(|_| {}).unwrap(), Verification { events, ..Verification::default() });
        sizes += 1;
    }
    assert!(refused > 50 && sizes > 30, "{refused} refused on {sizes} disks: nothing was tested");
}

#[test]
fn a_stranger_who_takes_the_last_byte_after_the_check_does_not_break_the_log() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let mut oracle = Oracle::default();
    for commit in 0..COMMITS {
        // Full except for the log's own space: commits that fit are stored, all others are refused.
        disk.set_full(true);
        disk.set_capacity(Some(disk.used_bytes() + commit % 7 * 60));
        match opened.commit(&events(commit)) {
            Ok(outcomes) => oracle.told(&events(commit), &outcomes),
            Err(error) => assert!(matches!(error, Error::StorageFull { .. }), "{error}"),
        }
        disk.set_full(false);
        let outcomes = opened.commit(&events(1_000 + commit)).unwrap();
        oracle.told(&events(1_000 + commit), &outcomes);
    }
    oracle.check(&opened);
    assert_eq!(opened.reader().stopped(), None);
}

#[test]
fn what_is_refused_for_want_of_space_claims_no_key() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let mut refused = 0;
    for commit in 0..400 {
        // Sometimes enough for the events and not for their frame: refused late, after the
        // decisions.
        disk.set_capacity(Some(disk.used_bytes() + commit * 7 % 1_000));
        let first = opened.commit(&events(commit));
        disk.set_capacity(None);
        let again = opened.commit(&events(commit)).unwrap();
        let is_stored = again.iter().all(|outcome| matches!(outcome, Outcome::Stored { .. }));
        assert_eq!(is_stored, first.is_err(), "commit {commit}: {first:?}, then {again:?}");
        refused += u32::from(first.is_err());
    }
    assert!(refused > 100, "{refused} refused: nothing was tested");
}

#[test]
fn a_torn_tail_is_kept_even_where_there_is_no_space_for_a_copy() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, BUSY).unwrap();
    opened.commit(&[Sent::new("t", 1, "p")]).unwrap();
    let log = disk.paths().into_iter().find(|path| path.extension().is_some_and(|ending| ending == "log")).unwrap();
    let file = disk.open_for_writing(&log).unwrap();
    // A commit that never finished.
    file.write_all_at(&[7; 300], file.len().unwrap()).unwrap();
    drop(opened);
    disk.set_full(true);
    let opened = Opened::open_with(&disk, BUSY).unwrap();
    let torn = opened.partition.torn_tail().expect("reported").clone();
    assert_eq!(torn.bytes, 300);
    assert!(disk.open(&torn.kept).unwrap().len().unwrap() > 300, "the whole file is kept");
    assert!(opened.reader().find("t", "1").unwrap().is_some());
}

/// A closed store on a disk with room, after `harm` has damaged the runs of its index.
fn with_a_damaged_index(harm: impl Fn(&MemoryDisk, &Path)) -> (MemoryDisk, Oracle) {
    let (disk, mut oracle) = (MemoryDisk::new(), Oracle::default());
    let mut opened = Opened::open(&disk).unwrap();
    assert_eq!(commit_all(&mut opened, &mut oracle, "endless disk"), 0);
    drop(opened);
    let runs = files(&disk, "run");
    assert!(!runs.is_empty());
    runs.iter().for_each(|run| harm(&disk, run));
    (disk, oracle)
}

#[test]
fn a_damaged_index_is_made_anew_in_its_own_place_on_a_full_disk() {
    let (disk, oracle) = with_a_damaged_index(|disk, run| assert!(disk.corrupt(run, |bytes| bytes[5] ^= 1)));
    disk.set_full(true);
    let mut opened = Opened::open(&disk).unwrap();
    assert!(opened.partition.rebuilt_index().is_some());
    oracle.check(&opened);
    disk.set_full(false);
    oracle.check_resend(&mut opened);
    let events = opened.reader().last_seq();
    assert_eq!(opened.partition.verify(|_| {}).unwrap(), Verification { events, ..Verification::default() });
}

#[test]
fn an_index_that_there_is_no_room_for_keeps_the_store_from_opening_and_says_why() {
    let (disk, oracle) = with_a_damaged_index(|disk, run| disk.remove(run).unwrap());
    // With room for the manifest and perhaps a run, but not for all runs: they must not stay in
    // memory instead.
    for free in [0, 2_000, 6_000, 12_000] {
        disk.set_capacity(Some(disk.used_bytes() + free));
        for _ in 0..2 {
            let error = Opened::open(&disk).map(drop).unwrap_err();
            assert!(matches!(error, Error::NoRoomForIndex(_)) && error.is_full(), "{free}: {error}");
            assert!(error.to_string().contains("make room"), "{error}");
        }
    }
    disk.set_capacity(None);
    let mut opened = Opened::open(&disk).unwrap();
    oracle.check(&opened);
    oracle.check_resend(&mut opened);
    let events = opened.reader().last_seq();
    assert_eq!(opened.partition.verify(|_| {}).unwrap(), Verification { events, ..Verification::default() });
}

#[test]
fn a_stranger_in_the_directory_does_not_matter() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    opened.commit(&[Sent::new("t", 1, "p")]).unwrap();
    drop(opened);
    // The spare contains the file that an interrupted start was writing.
    let spare = Path::new(DIR).join("p0000/log/SPARE");
    create_afresh(&disk, &spare).unwrap().write_all_at(&[9; 9_000], 0).unwrap();
    let mut opened = Opened::open(&disk).unwrap();
    assert_eq!(opened.commit(&[Sent::new("t", 1, "p")]).unwrap(), [Outcome::Duplicate { seq: 1 }]);
}
