//! Sectors that the medium cannot read: damage to what is in them, named, and nothing stops for it.

use std::path::{Path, PathBuf};

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk, read_all};
use sekali_store::{Finding, IndexOptions, Outcome, Scan, Tuning, backup};

use crate::bit_rot::{check, event, filled};
use crate::support::{BUSY, DIR, LOG_ONLY, Opened, collect, files};

/// Lets every read of a byte of a file fail from now on.
fn break_at(disk: &MemoryDisk, path: &Path, at: u64) {
    assert!(disk.fail_reads(path, at..at + 1, u64::MAX));
}

fn len(disk: &MemoryDisk, path: &Path) -> u64 {
    read_all(disk, path).unwrap().len() as u64
}

/// Logs of more than one piece, so that not all of a file is in the bad sector.
fn padded(tuning: Tuning, commits: u64) -> (MemoryDisk, Opened) {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for id in 0..commits {
        let mut sent = event(id);
        sent.payload.resize(1_000, b'x');
        opened.commit(&[sent]).unwrap();
    }
    (disk, opened)
}

#[test]
fn a_start_opens_around_every_sector_of_a_segment_and_of_the_log() {
    for tuning in [BUSY, LOG_ONLY] {
        let clean = filled(tuning);
        for path in files(&clean, "parquet").into_iter().chain(files(&clean, "log")) {
            for at in (0..len(&clean, &path)).step_by(97) {
                let disk = clean.kill();
                break_at(&disk, &path, at);
                check(&disk, tuning, &format!("{} at {at}", path.display()));
            }
        }
    }
}

#[test]
fn a_start_loses_only_the_bad_sector_of_the_last_log_file_and_keeps_the_file() {
    let (disk, opened) = padded(LOG_ONLY, 40);
    opened.partition.close().unwrap();
    let path = files(&disk, "log").remove(0);
    let whole = len(&disk, &path);
    break_at(&disk, &path, 20_000);
    let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let lost: u64 = opened.reader().damage().iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum();
    assert!((3..=6).contains(&lost), "{lost} of a piece of 4,096 bytes");
    assert_eq!(collect(&opened.reader(), Scan::default()).len() as u64 + lost, 40);
    let kept = disk.paths().into_iter().find(|path| path.extension().is_some_and(|it| it == "whole")).expect("kept");
    assert_eq!(disk.open(&kept).unwrap().len().unwrap(), whole);
}

#[test]
fn an_unreadable_end_of_the_log_that_nothing_vouches_for_is_said() {
    let (disk, opened) = padded(LOG_ONLY, 40);
    drop(opened);
    let path = files(&disk, "log").remove(0);
    break_at(&disk, &path, len(&disk, &path) - 500);
    let opened = Opened::open_with(&disk.kill(), LOG_ONLY).unwrap();
    let (flaws, damage) = (opened.reader().flaws(), opened.reader().damage());
    assert!(!damage.is_empty() || flaws.iter().any(|flaw| flaw.contains("could not be read")), "{flaws:?} {damage:?}");
}

#[test]
fn a_read_passes_over_a_bad_sector_and_names_it() {
    for tuning in [BUSY, LOG_ONLY] {
        for ending in ["parquet", "log"] {
            let (disk, opened) = padded(tuning, 100);
            for path in files(&disk, ending) {
                let at = len(&disk, &path) / 2;
                break_at(&disk, &path, at);
            }
            let reader = opened.reader();
            let served = collect(&reader, Scan::default()).len() as u64;
            let backwards = Scan { order: sekali_store::Order::Descending, ..Scan::default() };
            assert_eq!(collect(&reader, backwards).len() as u64, served);
            let damage = reader.damage();
            let lost: u64 = damage.iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum();
            assert_eq!(served + lost, 100, "{damage:?}");
            reader.oldest().unwrap();
            let mut opened = opened;
            let found = opened.partition.verify(|_| {}).unwrap().findings;
            assert_eq!(found.iter().any(|found| matches!(found, Finding::Lost(_))), lost > 0, "{found:?}");
        }
    }
}

#[test]
fn an_error_that_passes_is_no_damage() {
    let (disk, opened) = padded(LOG_ONLY, 40);
    let path = files(&disk, "log").remove(0);
    assert!(disk.fail_reads(&path, 20_000..20_001, 1));
    assert_eq!(collect(&opened.reader(), Scan::default()).len(), 40);
    assert_eq!(opened.reader().damage(), []);
}

#[test]
fn a_bad_sector_of_a_closed_log_file_does_not_stop_sealing() {
    // Nothing is sealed before the index covers it.
    let unsealed = Tuning { index: IndexOptions { table_entries: 1_000, ..BUSY.index }, ..BUSY };
    let (disk, opened) = padded(unsealed, 60);
    drop(opened);
    let logs = files(&disk, "log");
    break_at(&disk, &logs[3], 900);
    let mut opened = Opened::open(&disk).unwrap();
    for id in 200..260 {
        opened.commit(&[event(id)]).unwrap();
    }
    let left = files(&disk, "log");
    let kept = Path::new(DIR).join("p0000/quarantine").join(logs[3].file_name().unwrap());
    assert!(left.contains(&kept) && logs.iter().all(|path| !left.contains(path)), "{left:?}");
    let lost: u64 = opened.reader().damage().iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum();
    assert_eq!(collect(&opened.reader(), Scan::default()).len() as u64 + lost, 120);
}

#[test]
fn a_start_goes_on_without_a_run_that_cannot_be_read() {
    let clean = filled(BUSY);
    for path in files(&clean, "run") {
        for at in [0, len(&clean, &path) - 1] {
            let disk = clean.kill();
            break_at(&disk, &path, at);
            let mut opened = Opened::open(&disk).unwrap();
            assert!(opened.partition.rebuilt_index().is_some_and(|why| why.contains("cannot be read")));
            let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
        }
    }
}

#[test]
fn a_backup_goes_on_and_names_what_it_could_not_read_and_the_copy_opens() {
    let (disk, opened) = padded(LOG_ONLY, 40);
    opened.partition.close().unwrap();
    let path: PathBuf = files(&disk, "log").remove(0);
    break_at(&disk, &path, 20_000);
    let copied = backup(&disk, Path::new(DIR), Path::new("/copy"), |_| {}).unwrap();
    assert_eq!((copied.missing, copied.unreadable), (vec![], vec![path]));
    let copy = Opened::open_at(&disk, Path::new("/copy"), LOG_ONLY);
    // The lock of a memory disk is one for all stores.
    let copy = copy.or_else(|_| Opened::open_at(&disk.kill(), Path::new("/copy"), LOG_ONLY)).unwrap();
    let lost: u64 = copy.reader().damage().iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum();
    assert!(lost > 0);
    assert_eq!(collect(&copy.reader(), Scan::default()).len() as u64 + lost, 40);
}
