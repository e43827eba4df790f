//! Data directories of every format that there has been: each opens with all its events, and takes
//! more.
//!
//! - `tests/fixtures/store-v1`: segments of format 1, which call payloads JSON
//! - `tests/fixtures/store-v1-segments-2`: segments of format 2, with columns of members
//!
//! With `SEKALI_WRITE_FIXTURE` set, the directory of the current format is written anew first. Once
//! a later format is there, a directory never changes.

use std::fs;
use std::path::{Path, PathBuf};

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk, create_afresh, read_all};
use sekali_store::{Counters, IndexOptions, Outcome, Tuning, Verification};

use crate::retention::ages;
use crate::support::{BUSY, DIR, Opened, Sent};

const COMMITS: u64 = 70;
/// Small files, so that there are several of each kind.
const SMALL: Tuning = Tuning { index: IndexOptions { table_entries: 20, background: false }, ..BUSY };
/// Events of the topic `short` that were received before this time, in commits, have expired.
const EXPIRED_BEFORE: u64 = 45;

/// The directory of the current format.
const CURRENT: &str = "store-v1-segments-2";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The formats of the segments of a fixture, from the metadata of their footers.
fn segment_formats(name: &str) -> Vec<u8> {
    const NAME: &[u8] = b"sekali.format";
    let mut paths: Vec<_> = fs::read_dir(fixture(name).join("p0000/segments")).unwrap().map(|of| of.unwrap()).collect();
    paths.sort_by_key(fs::DirEntry::file_name);
    let format = |bytes: Vec<u8>| {
        let place = bytes.windows(NAME.len()).rposition(|window| window == NAME).expect("the footer names the format");
        // Two bytes of Thrift, the second of which is the length of the text, are between the two.
        let value = &bytes[place + NAME.len()..][1..3];
        assert_eq!(value[0], 1, "a format is one digit");
        value[1] - b'0'
    };
    paths.iter().map(|entry| format(fs::read(entry.path()).unwrap())).collect()
}

/// The two events of a commit.
fn events(commit: u64) -> [Sent; 2] {
    ["long", "short"].map(|topic| Sent::new(topic, commit, format!("{{\"commit\": {commit}, \"topic\": \"{topic}\"}}")))
}

/// A store with segments (also merged and trimmed ones), runs, log files with and without an
/// outline, a conflict and duplicates.
fn write_fixture() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, SMALL).unwrap();
    for commit in 1..=COMMITS {
        let batch = opened.batch(&events(commit));
        opened.partition.commit(&[batch], commit as i64, Some(commit)).unwrap();
    }
    let retention = ages(&[("short", Some((COMMITS - EXPIRED_BEFORE) as i64))]);
    opened.partition.retainer().apply(retention, COMMITS as i64);
    let batch = opened.batch(&[events(30)[0].clone(), Sent::new("long", 31, "{}")]);
    opened.partition.commit(&[batch], COMMITS as i64, Some(COMMITS + 1)).unwrap();
    opened.partition.close().unwrap();
    for path in disk.paths().into_iter().filter(|path| !path.ends_with("LOCK") && !path.ends_with("SPARE")) {
        let to = fixture(CURRENT).join(path.strip_prefix(DIR).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, read_all(&disk, &path).unwrap()).unwrap();
    }
}

/// Copies a directory to a disk in memory, so that opening it changes nothing here.
fn load(disk: &MemoryDisk, from: &Path, to: &Path) -> u64 {
    disk.create_dir_all(to).unwrap();
    let mut bytes = 0;
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            bytes += load(disk, &entry, &to);
        } else {
            let found = fs::read(&entry).unwrap();
            create_afresh(disk, &to).unwrap().write_all_at(&found, 0).unwrap();
            bytes += found.len() as u64;
        }
    }
    bytes
}

#[test]
fn a_store_with_segments_of_format_1_opens_and_has_what_it_had() {
    assert_eq!(segment_formats("store-v1"), [1, 1]);
    has_what_it_had("store-v1");
}

#[test]
fn a_store_with_segments_of_format_2_opens_and_has_what_it_had() {
    if std::env::var_os("SEKALI_WRITE_FIXTURE").is_some() {
        let _ = fs::remove_dir_all(fixture(CURRENT));
        write_fixture();
    }
    let formats = segment_formats(CURRENT);
    assert!(formats.len() > 1 && formats.iter().all(|format| *format == 2), "{formats:?}");
    has_what_it_had(CURRENT);
}

/// Opens a copy of the fixture, reads and verifies everything, repeats everything, and publishes
/// more until the old segments are merged with new ones.
fn has_what_it_had(name: &str) {
    let disk = MemoryDisk::new();
    assert!(load(&disk, &fixture(name), Path::new(DIR)) < 100_000, "a fixture is small");
    let mut opened = Opened::open_with(&disk, SMALL).unwrap();
    let reader = opened.reader();
    assert_eq!((reader.damage(), reader.flaws(), opened.partition.torn_tail()), (vec![], vec![], None));
    assert_eq!(opened.partition.rebuilt_index(), None);
    assert_eq!(opened.partition.upstream(), Some(COMMITS + 1));
    let stored = 2 * COMMITS;
    assert_eq!(reader.counters(), Counters { received: stored + 2, stored, duplicates: 2, conflicts: 1 });
    let expired = reader.expired().events;
    assert!((1..=EXPIRED_BEFORE).contains(&expired), "{expired}");
    let storage = reader.storage_stats();
    assert!(storage.segments > 1 && storage.log_files > 1, "{storage:?}");

    for commit in 1..=COMMITS {
        for (sent, seq) in events(commit).into_iter().zip(2 * commit - 1..) {
            let found = reader.find(&sent.topic, &sent.event_id).unwrap();
            if sent.topic == "short" && commit <= expired {
                assert_eq!(found, None, "it has expired");
                continue;
            }
            let found = found.unwrap_or_else(|| panic!("{sent:?} is gone"));
            assert_eq!((found.seq, found.received_at_ns, found.payload), (seq, commit as i64, sent.payload));
        }
    }
    let events_there = stored + 1 - expired;
    let sound = Verification { events: events_there, ..Verification::default() };
    assert_eq!(opened.partition.verify(|_| {}).unwrap(), sound);
    for commit in 1..=COMMITS {
        let outcomes = opened.commit(&events(commit)).unwrap();
        assert_eq!(outcomes, [2 * commit - 1, 2 * commit].map(|seq| Outcome::Duplicate { seq }));
    }
    // Enough for several files of each kind.
    for commit in COMMITS + 1..=3 * COMMITS {
        let outcomes = opened.commit(&events(commit)).unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored { .. })), "{outcomes:?}");
    }
    drop(reader);
    opened.partition.close().unwrap();
    let mut opened = Opened::open_with(&disk, SMALL).unwrap();
    let more = 4 * COMMITS;
    let sound = Verification { events: events_there + more, ..Verification::default() };
    assert_eq!(opened.partition.verify(|_| {}).unwrap(), sound);
    assert_eq!(opened.reader().counters().stored, stored + more);
    let outcomes = opened.commit(&events(1)).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
}
