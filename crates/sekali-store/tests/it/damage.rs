//! Rot, truncation and lost files: they are always named, and all other events are served.

use std::path::Path;

use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_store::disk::{Disk, read_all};
use sekali_store::{Error, Finding, IndexOptions, Outcome, Scan, Tuning};

use crate::bit_rot::{check, event, filled};
use crate::support::{BUSY, DIR, LOG_ONLY, Opened, collect, files};

#[test]
fn a_lost_segment_is_named_and_healed_by_publishing_again() {
    let clean = filled(BUSY);
    for path in files(&clean, "parquet") {
        let disk = clean.kill();
        disk.remove(&path).unwrap();
        check(&disk, BUSY, &format!("{} removed", path.display()));
        // By then a start has read the loss from the manifest.
        let damage = Opened::open(&disk.kill()).unwrap().reader().damage();
        assert!(damage.iter().any(|damage| damage.path == path), "{damage:?}");
    }
}

#[test]
fn damage_while_serving_is_found_by_the_read_and_named() {
    let disk = filled(LOG_ONLY);
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes[3_000] ^= 1);
    let served = collect(&opened.reader(), Scan::default()).len() as u64;
    let damage = opened.reader().damage();
    let [found] = &damage[..] else { panic!("{damage:?}") };
    let lost = found.first_seq..=found.last_seq;
    assert_eq!(served + lost.clone().count() as u64, 200);
    assert!(found.to_string().contains(&format!("seq {} to {}", lost.start(), lost.end())), "{found}");
    // A second read reports the damage only once.
    collect(&opened.reader(), Scan::default());
    assert_eq!(opened.reader().damage(), damage);
    let id = lost.start() - 1;
    assert!(matches!(opened.commit(&[event(id)]).unwrap()[..], [Outcome::Stored { .. }]));
}

#[test]
fn only_damage_that_was_shown_is_accepted() {
    for (tuning, ending) in [(LOG_ONLY, "log"), (BUSY, "parquet")] {
        let disk = filled(tuning);
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        let (first, last) = (files(&disk, ending)[0].clone(), files(&disk, ending).pop().unwrap());
        disk.corrupt(&first, |bytes| bytes[300] ^= 1);
        let shown = opened.partition.verify(|_| {}).unwrap();
        assert_eq!(shown.findings.len(), 1, "{:?}", shown.findings);
        // More is found before that is accepted, in the log next to it.
        disk.corrupt(&last, |bytes| bytes[if ending == "log" { 1_500 } else { 300 }] ^= 1);
        collect(&opened.reader(), Scan::default());
        let found = opened.reader().damage();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(opened.partition.accept_damage(&shown).unwrap(), 1);
        assert_eq!(opened.reader().damage(), found[1..], "it was not shown");
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        assert_eq!(opened.reader().damage(), found[1..], "after a restart");
        assert_eq!(opened.accept_damage(), 1);
        assert_eq!(opened.reader().damage(), []);
    }
}

#[test]
fn copies_of_torn_tails_are_bounded_and_the_newest_stay() {
    let disk = MemoryDisk::new();
    let mut newest = None;
    for id in 0..40 {
        let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        newest = opened.partition.torn_tail().map(|torn| torn.kept.clone()).or(newest);
        opened.commit(&[event(2 * id)]).unwrap();
        opened.commit(&[event(2 * id + 1)]).unwrap();
        drop(opened);
        let path = files(&disk, "log").remove(0);
        disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() - 5));
    }
    let torn = files(&disk, "torn");
    assert_eq!(torn.len(), 16);
    assert!(torn.contains(&newest.unwrap()), "{torn:?}");
}

#[test]
fn a_torn_tail_is_cut_and_a_copy_is_kept() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    opened.commit(&[event(0)]).unwrap();
    opened.commit(&[event(1)]).unwrap();
    drop(opened);
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() - 5));
    let opened = Opened::open(&disk).unwrap();
    assert_eq!(opened.reader().damage(), []);
    assert_eq!(collect(&opened.reader(), Scan::default()).len(), 1);
    let torn = opened.partition.torn_tail().expect("reported");
    assert_eq!(read_all(&disk, &torn.kept).unwrap().len() as u64, torn.bytes);
}

#[test]
fn a_store_without_its_meta_file_is_not_taken_for_a_new_one() {
    let disk = filled(BUSY);
    let path = Path::new(DIR).join("store.toml");
    disk.remove(&path).unwrap();
    assert!(matches!(Opened::open(&disk), Err(Error::Damaged { path: named, .. }) if named == path));
}

#[test]
fn a_newer_format_is_refused() {
    let disk = filled(BUSY);
    disk.corrupt(&Path::new(DIR).join("store.toml"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = (text.replace("format = 1", "format = 2") + "novelty = true\n").into_bytes();
    });
    assert!(matches!(Opened::open(&disk), Err(Error::NewerFormat { found: 2, known: 1, .. })));
}

/// Checks that a store with a damaged index is unchanged, and reports that it has rebuilt the
/// index.
fn check_rebuilt(disk: &MemoryDisk, what: &str) {
    let mut opened = Opened::open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let why = opened.partition.rebuilt_index().unwrap_or_else(|| panic!("{what}: not noticed")).to_owned();
    assert!(why.contains("/store/p0000"), "{what}: {why}");
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{what}: {outcomes:?}");
    assert_eq!(opened.reader().damage(), [], "{what}: the log is sound");
}

#[test]
fn a_lost_or_damaged_index_is_rebuilt_from_the_log() {
    let clean = filled(BUSY);
    let runs = files(&clean, "run");
    assert!(!runs.is_empty());
    for run in &runs {
        let disk = clean.kill();
        disk.remove(run).unwrap();
        check_rebuilt(&disk, &format!("{} removed", run.display()));
        let disk = clean.kill();
        disk.corrupt(run, |bytes| bytes.truncate(bytes.len() / 2));
        check_rebuilt(&disk, &format!("{} cut", run.display()));
    }
    let disk = clean.kill();
    assert!(disk.corrupt(&Path::new(DIR).join("p0000/MANIFEST"), |bytes| bytes[60] ^= 1));
    check_rebuilt(&disk, "MANIFEST flipped");
}

#[test]
fn a_damaged_block_of_the_index_is_never_trusted_and_the_next_start_rebuilds() {
    let disk = filled(BUSY);
    let runs = files(&disk, "run");
    for run in &runs {
        // The middle of a block of entries.
        disk.corrupt(run, |bytes| bytes[6_000] ^= 1);
    }
    let mut opened = Opened::open(&disk).unwrap();
    let events: Vec<_> = (0..200).map(event).collect();
    assert!(matches!(opened.commit(&events), Err(Error::Stopped(_))));
    assert!(matches!(opened.commit(&events), Err(Error::Stopped(_))));
    drop(opened);
    let mut opened = Opened::open(&disk.kill()).unwrap();
    let outcomes = opened.commit(&events).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
}

#[test]
fn a_log_that_ends_before_what_the_index_covers_is_damage_and_no_seq_is_used_twice() {
    let disk = filled(LOG_ONLY);
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() / 2));
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let damage = opened.reader().damage();
    let last = damage.iter().map(|damage| damage.last_seq).max().expect("it is named");
    assert!(damage[0].first_seq > 50 && last > 180, "{damage:?}");
    let outcomes = opened.commit(&[event(0), event(150)]).unwrap();
    assert!(matches!(outcomes[..], [Outcome::Duplicate { .. }, Outcome::Stored { seq }] if seq > last), "{outcomes:?}");
}

#[test]
fn a_damaged_log_file_is_moved_away_and_not_removed_once_what_is_left_of_it_is_sealed() {
    // Nothing is sealed before the index covers it.
    let unsealed = Tuning { index: IndexOptions { table_entries: 1_000, ..BUSY.index }, ..BUSY };
    let disk = filled(unsealed);
    let damaged = files(&disk, "log").remove(0);
    disk.corrupt(&damaged, |bytes| bytes[500] ^= 1);
    let mut opened = Opened::open(&disk).unwrap();
    for id in 200..260 {
        opened.commit(&[event(id)]).unwrap();
    }
    let logs = files(&disk, "log");
    let kept = Path::new(DIR).join("p0000/quarantine").join(damaged.file_name().unwrap());
    assert!(logs.contains(&kept) && !logs.contains(&damaged), "{logs:?}");
    assert!(!opened.reader().damage().is_empty());
}

/// Flips a bit in the frame header of a commit.
fn flip_header(disk: &MemoryDisk, path: &Path, commit: usize) {
    const MAGIC: &[u8] = b"SEKFRAME";
    let harm = |bytes: &mut Vec<u8>| {
        let headers = bytes.windows(MAGIC.len()).enumerate().filter(|(_, window)| *window == MAGIC);
        let at = headers.map(|(at, _)| at).nth(commit).expect("so many commits");
        bytes[at + 40] ^= 1;
    };
    assert!(disk.corrupt(path, harm));
}

const HEADER_LOST: &str = "a header is unreadable, no event is lost";

#[test]
fn a_damaged_header_before_sound_events_is_one_flaw_and_no_loss() {
    let clean = filled(LOG_ONLY);
    let path = files(&clean, "log").remove(0);
    for (commit, while_serving) in [(0, false), (7, false), (18, false), (0, true), (7, true)] {
        let what = format!("header of commit {commit}, while serving: {while_serving}");
        let disk = clean.kill();
        let before = Opened::open_with(&disk, LOG_ONLY).unwrap();
        if !while_serving {
            drop(before);
            flip_header(&disk, &path, commit);
        } else {
            flip_header(&disk, &path, commit);
            collect(&before.reader(), Scan::default());
            assert_eq!(before.partition.scrubber().step(u64::MAX).mended, [""; 0], "{what}");
            let flaws = before.reader().flaws();
            assert!(flaws.len() == 1 && flaws[0].ends_with(HEADER_LOST), "{what}: {flaws:?}");
            assert_eq!(before.reader().damage(), [], "{what}");
            drop(before);
        }
        let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        assert_eq!(collect(&opened.reader(), Scan::default()).len(), 200, "{what}");
        let findings = opened.partition.verify(|_| {}).unwrap().findings;
        let [Finding::Flaw(flaw)] = &findings[..] else { panic!("{what}: {findings:?}") };
        assert!(flaw.ends_with(HEADER_LOST), "{what}: {flaw}");
        assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![flaw.clone()]), "{what}");
        assert_eq!(opened.reader().counters().stored, 200, "{what}");
        assert_eq!(opened.accept_damage(), 1, "{what}");
        drop(opened);
        let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]), "{what}: it is accepted");
        drop(opened);
        assert_eq!(check(&disk, LOG_ONLY, &what), 0);
    }
}

#[test]
fn a_log_file_with_a_damaged_header_is_moved_away_once_it_is_sealed_and_no_longer_named() {
    // Nothing is sealed before the index covers it.
    let unsealed = Tuning { index: IndexOptions { table_entries: 1_000, ..BUSY.index }, ..BUSY };
    for accepted in [false, true] {
        let disk = filled(unsealed);
        let damaged = files(&disk, "log").remove(0);
        flip_header(&disk, &damaged, 1);
        let mut opened = Opened::open_with(&disk, unsealed).unwrap();
        assert_eq!(opened.reader().flaws().len(), 1);
        if accepted {
            assert_eq!(opened.accept_damage(), 1);
        }
        drop(opened);
        let mut opened = Opened::open(&disk).unwrap();
        for id in 200..260 {
            opened.commit(&[event(id)]).unwrap();
        }
        let kept = Path::new(DIR).join("p0000/quarantine").join(damaged.file_name().unwrap());
        for _ in 0..2 {
            let logs = files(&disk, "log");
            assert!(logs.contains(&kept) && !logs.contains(&damaged), "accepted: {accepted}: {logs:?}");
            assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]));
            assert_eq!(collect(&opened.reader(), Scan::default()).len(), 260);
            drop(opened);
            opened = Opened::open(&disk).unwrap();
        }
    }
}

/// Where the payload of an event begins in the bytes of a log file.
fn payload_at(bytes: &[u8], id: u64) -> usize {
    let payload = event(id).payload;
    bytes.windows(payload.len()).position(|window| window == payload).expect("it is in the file")
}

#[test]
fn events_between_two_known_damages_are_named_and_stored_again_and_not_called_duplicates() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    for id in 100..160 {
        opened.commit(&[event(id)]).unwrap();
    }
    let path = files(&disk, "log").remove(0);
    for id in [109, 119] {
        assert!(disk.corrupt(&path, |bytes| {
            let at = payload_at(bytes, id);
            bytes[at] ^= 1;
        }));
        collect(&opened.reader(), Scan::default());
    }
    let named = |opened: &Opened| {
        let seqs = opened.reader().damage().into_iter().flat_map(|damage| damage.first_seq..=damage.last_seq);
        let mut seqs: Vec<_> = seqs.collect();
        seqs.sort_unstable();
        seqs
    };
    assert_eq!(named(&opened), [10, 20]);
    assert!(disk.corrupt(&path, |bytes| {
        let (from, to) = (payload_at(bytes, 110), payload_at(bytes, 118));
        bytes[from..to + 10].fill(0);
    }));
    assert_eq!(collect(&opened.reader(), Scan::default()).len(), 49);
    assert_eq!(named(&opened), (10..=20).collect::<Vec<_>>());
    let outcomes = opened.commit(&[event(108), event(114)]).unwrap();
    assert!(matches!(outcomes[..], [Outcome::Duplicate { seq: 9 }, Outcome::Stored { seq: 61 }]), "{outcomes:?}");
    assert!(opened.reader().find("t", "114").unwrap().is_some());
    drop(opened);
    // After a restart, too, each is named once.
    assert_eq!(named(&Opened::open_with(&disk, LOG_ONLY).unwrap()), (10..=20).collect::<Vec<_>>());
}

#[test]
fn commits_that_were_marked_under_load_are_no_torn_tail_when_they_are_gone() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let marker = opened.partition.marker();
    // Not as many as fill tables of the index: writing one down marks the log as well.
    (0..37).for_each(|id| drop(opened.commit(&[event(id)]).unwrap()));
    marker.mark().unwrap();
    (37..39).for_each(|id| drop(opened.commit(&[event(id)]).unwrap()));
    let path = files(&disk, "log").remove(0);
    let cut = |part: usize| {
        let disk = disk.kill();
        match part {
            0 => disk.remove(&path).unwrap(),
            _ => assert!(disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() * part / 4))),
        }
        disk
    };
    for part in 0..4 {
        let disk = cut(part);
        // It stays known, whatever is written meanwhile.
        for _ in 0..2 {
            let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
            let readable = collect(&opened.reader(), Scan::default()).len() as u64;
            let damage = opened.reader().damage();
            let lost: u64 = damage.iter().map(|found| found.last_seq + 1 - found.first_seq).sum();
            assert_eq!(readable + lost, 37, "{part} of 4: {damage:?}");
        }
        let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        let outcomes = opened.commit(&[event(36)]).unwrap();
        assert_eq!(outcomes, [Outcome::Stored { seq: 38 }], "{part} of 4: what is lost can be published again");
    }
}

#[test]
fn a_mark_that_cannot_be_written_or_read_keeps_no_store_from_opening() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    opened.commit(&[event(0)]).unwrap();
    let marker = opened.partition.marker();
    disk.set_full(true);
    assert!(marker.mark().is_err());
    disk.set_full(false);
    opened.commit(&[event(1)]).unwrap();
    marker.mark().unwrap();
    marker.mark().unwrap();
    drop((opened, marker));
    let mark = disk.paths().into_iter().find(|path| path.ends_with("DURABLE")).unwrap();
    for harm in [|bytes: &mut Vec<u8>| bytes.clear(), |bytes: &mut Vec<u8>| bytes.fill(0xFF)] {
        let disk = disk.kill();
        assert!(disk.corrupt(&mark, harm));
        let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        assert_eq!((collect(&opened.reader(), Scan::default()).len(), opened.reader().damage()), (2, vec![]));
        opened.commit(&[event(2)]).unwrap();
        opened.partition.marker().mark().unwrap();
    }
}

/// One event a commit, with ids from 0 on.
fn one_a_commit(disk: &MemoryDisk, events: u64) -> Opened {
    let mut opened = Opened::open_with(disk, LOG_ONLY).unwrap();
    for id in 0..events {
        opened.commit(&[event(id)]).unwrap();
    }
    opened
}

/// Flips a bit of the payload of an event in the log, or flips it back.
fn flip_payload(disk: &MemoryDisk, path: &Path, at: usize) {
    assert!(disk.corrupt(path, |bytes| bytes[at] ^= 1));
}

fn seqs_of(opened: &Opened, id: u64) -> Vec<u64> {
    let events = collect(&opened.reader(), Scan::default());
    events.into_iter().filter(|event| event.event_id == id.to_string()).map(|event| event.seq).collect()
}

#[test]
fn a_bad_read_that_passes_never_yields_an_event_twice() {
    let sealing = Tuning { log_file_bytes: 2_000, index: IndexOptions { table_entries: 5, ..BUSY.index }, ..BUSY };
    for (found_by_start, seals) in [(false, false), (true, false), (false, true), (true, true)] {
        let what = format!("found by a start: {found_by_start}, sealed then: {seals}");
        let disk = MemoryDisk::new();
        let mut opened = one_a_commit(&disk, 60);
        let path = files(&disk, "log").remove(0);
        let at = payload_at(&read_all(&disk, &path).unwrap(), 10);
        flip_payload(&disk, &path, at);
        if found_by_start {
            drop(opened);
            opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        }
        collect(&opened.reader(), Scan::default());
        assert!(matches!(opened.commit(&[event(10)]).unwrap()[..], [Outcome::Stored { seq: 61 }]), "{what}");
        flip_payload(&disk, &path, at);
        assert_eq!(seqs_of(&opened, 10), [61], "{what}");
        drop(opened);
        let mut opened = Opened::open_with(&disk, if seals { sealing } else { LOG_ONLY }).unwrap();
        for id in 100..200 {
            opened.commit(&[event(id)]).unwrap();
        }
        assert_eq!(files(&disk, "parquet").is_empty(), !seals, "{what}");
        assert_eq!(seqs_of(&opened, 10), [61], "{what}");
        assert_eq!(opened.reader().find("t", "10").unwrap().map(|event| event.seq), Some(61), "{what}");
        assert_eq!(opened.reader().damage().len(), 1, "{what}: the loss stays named");
        let findings = opened.partition.verify(|_| {}).unwrap().findings;
        assert!(matches!(findings[..], [Finding::Lost(_)]), "{what}: {findings:?}");
    }
}

#[test]
fn a_loss_that_cannot_be_written_down_fails_the_commit_and_claims_no_key() {
    let disk = MemoryDisk::new();
    let mut opened = one_a_commit(&disk, 60);
    let path = files(&disk, "log").remove(0);
    let at = payload_at(&read_all(&disk, &path).unwrap(), 10);
    flip_payload(&disk, &path, at);
    disk.fail_call(disk.calls(), Fault::Eio);
    collect(&opened.reader(), Scan::default());
    // Known by now, and to be written down by the next commit, before anything else.
    disk.fail_call(disk.calls(), Fault::Eio);
    let refused = opened.commit(&[event(10)]).unwrap_err();
    assert!(matches!(refused, Error::Io { .. }), "{refused}");
    flip_payload(&disk, &path, at);
    assert_eq!(seqs_of(&opened, 10), [11], "it is not hidden yet");
    assert_eq!(opened.reader().damage().len(), 1, "it is named all the same");
    assert!(matches!(opened.commit(&[event(10)]).unwrap()[..], [Outcome::Stored { seq: 61 }]));
    assert_eq!(seqs_of(&opened, 10), [61]);
    drop(opened);
    assert_eq!(seqs_of(&Opened::open_with(&disk.kill(), LOG_ONLY).unwrap(), 10), [61]);
}
