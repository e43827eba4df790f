//! Files that were away during a start: their events are taken back once they are there again, and
//! never beside others that were published in their place.

use std::path::{Path, PathBuf};

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk as _, read_all, replace};
use sekali_store::{IndexOptions, Outcome, Scan, Tuning};

use crate::bit_rot::{event, filled};
use crate::support::{BUSY, DIR, Opened, collect, files};

/// Log files that wait, since the index writes nothing.
const WAITING: Tuning = Tuning { index: IndexOptions { table_entries: 1_000, ..BUSY.index }, ..BUSY };

/// Takes a file away, and returns its bytes.
fn take_away(disk: &MemoryDisk, path: &Path) -> Vec<u8> {
    let bytes = read_all(disk, path).unwrap();
    disk.remove(path).unwrap();
    bytes
}

/// Seqs that are lost, by what a reader is told.
fn lost_seqs(opened: &Opened) -> Vec<u64> {
    opened.reader().damage().iter().flat_map(|damage| damage.first_seq..=damage.last_seq).collect()
}

/// Each event is there once, under its first seq, and known.
fn check_whole(opened: &mut Opened, what: &str) {
    assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]), "{what}");
    let seqs: Vec<_> = collect(&opened.reader(), Scan::default()).iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=200).collect::<Vec<_>>(), "{what}");
    assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [], "{what}");
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    let known = outcomes.iter().zip(1..).all(|(outcome, seq)| *outcome == Outcome::Duplicate { seq });
    assert!(known, "{what}: {outcomes:?}");
}

/// Segments and log files that are not the last.
fn cases() -> Vec<(Tuning, PathBuf)> {
    let (sealed, waiting) = (filled(BUSY), filled(WAITING));
    let segments = files(&sealed, "parquet").into_iter().map(|path| (BUSY, path));
    let mut logs = files(&waiting, "log");
    logs.pop();
    assert!(logs.len() > 3 && segments.len() > 1);
    segments.chain(logs.into_iter().map(|path| (WAITING, path))).collect()
}

#[test]
fn a_file_that_was_away_is_taken_back_whole_when_it_is_there_again() {
    for (tuning, path) in cases() {
        for (accepts, flushes) in [(false, false), (true, false), (false, true)] {
            let what = format!("{} accepted {accepts} flushed {flushes}", path.display());
            let disk = filled(tuning);
            let bytes = take_away(&disk, &path);
            let mut opened = Opened::open_with(&disk, tuning).unwrap();
            let lost = lost_seqs(&opened);
            assert!(!lost.is_empty(), "{what}");
            if accepts {
                assert_eq!(opened.accept_damage(), 1, "{what}");
            }
            drop(opened);
            if flushes {
                // The index writes all keys that it knows, and those of the lost ones are none.
                let small = Tuning {
                    index: IndexOptions { table_entries: 5, ..tuning.index },
                    log_file_bytes: u64::MAX,
                    ..tuning
                };
                drop(Opened::open_with(&disk, Tuning { segment_fan_in: 1_000, ..small }).unwrap());
            }
            replace(&disk, &path, &bytes).unwrap();
            let mut opened = Opened::open_with(&disk, tuning).unwrap();
            let told = opened.partition.returned().to_vec();
            assert!(told.len() == 1 && told[0].ends_with("are back"), "{what}: {told:?}");
            check_whole(&mut opened, &what);
            drop(opened);
            let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
            assert_eq!(opened.partition.returned(), [""; 0], "{what}");
            check_whole(&mut opened, &what);
        }
    }
}

#[test]
fn no_event_is_there_twice_when_it_was_published_again_while_its_file_was_away() {
    for (tuning, path) in cases() {
        let what = path.display();
        let disk = filled(tuning);
        let bytes = take_away(&disk, &path);
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        let lost = lost_seqs(&opened);
        let again = lost[lost.len() / 2];
        let outcomes = opened.commit(&[event(again - 1)]).unwrap();
        assert_eq!(outcomes, [Outcome::Stored { seq: 201 }], "{what}");
        drop(opened);
        replace(&disk, &path, &bytes).unwrap();
        for _ in 0..2 {
            let mut opened = Opened::open_with(&disk, tuning).unwrap();
            let told = opened.partition.returned();
            let (seq, new) = (format!("seq {again} was published again"), "has seq 201");
            assert!(told.len() == 1 && told[0].contains(&seq) && told[0].ends_with(new), "{what}: {told:?}");
            assert_eq!(lost_seqs(&opened), lost, "{what}");
            let ids: Vec<_> =
                collect(&opened.reader(), Scan::default()).into_iter().map(|event| event.event_id).collect();
            assert_eq!(ids.iter().filter(|id| **id == (again - 1).to_string()).count(), 1, "{what}");
            assert_eq!(ids.len() + lost.len(), 201, "{what}");
            // The check finds the loss, and nothing else.
            assert_eq!(opened.partition.verify(|_| {}).unwrap().findings.len(), 1, "{what}");
        }
    }
}

#[test]
fn a_log_file_that_was_away_while_the_log_was_sealed_past_it_is_kept() {
    let disk = filled(WAITING);
    let path = files(&disk, "log").remove(2);
    let bytes = take_away(&disk, &path);
    let mut opened = Opened::open_with(&disk, BUSY).unwrap();
    let lost = lost_seqs(&opened);
    for _ in 0..3 {
        opened.commit(&[]).unwrap();
    }
    assert!(opened.reader().storage_stats().log_files < 3, "the log is sealed");
    drop(opened);
    replace(&disk, &path, &bytes).unwrap();
    let opened = Opened::open_with(&disk, BUSY).unwrap();
    let told = opened.partition.returned();
    assert!(told.len() == 1 && told[0].contains("quarantine/"), "{told:?}");
    let kept = Path::new(DIR).join("p0000/quarantine").join(path.file_name().unwrap());
    assert_eq!(read_all(&disk, &kept).unwrap(), bytes, "the only copy of these events");
    assert_eq!(lost_seqs(&opened), lost);
    assert_eq!(collect(&opened.reader(), Scan::default()).len() + lost.len(), 200);
}

#[test]
fn a_last_log_file_that_comes_back_does_not_take_the_seqs_of_what_was_stored_since() {
    let tuning = Tuning { log_file_bytes: u64::MAX, ..WAITING };
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    let marker = opened.partition.marker();
    for id in 0..100 {
        opened.commit(&[event(id)]).unwrap();
        if id == 95 {
            marker.mark().unwrap();
        }
    }
    drop(opened);
    let disk = disk.kill();
    let path = files(&disk, "log").pop().unwrap();
    let bytes = take_away(&disk, &path);
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    let lost = lost_seqs(&opened);
    assert_eq!(lost.last(), Some(&96), "the mark says so much");
    let others: Vec<_> = (1_000..1_030).map(event).collect();
    for event in &others {
        assert!(matches!(opened.commit(std::slice::from_ref(event)).unwrap()[..], [Outcome::Stored { .. }]));
    }
    drop(opened);
    replace(&disk, &path, &bytes).unwrap();
    for first in [true, false] {
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        assert_eq!(opened.partition.returned().len(), usize::from(first));
        assert_eq!(lost_seqs(&opened), lost);
        let outcomes = opened.commit(&others).unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
        let ids: Vec<_> = collect(&opened.reader(), Scan::default()).into_iter().map(|event| event.event_id).collect();
        let present = (0..lost[0] - 1).chain(1_000..1_030).map(|id| id.to_string());
        assert_eq!(ids, present.collect::<Vec<_>>());
    }
}
