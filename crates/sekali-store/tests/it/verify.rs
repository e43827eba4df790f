//! `verify` finds every fault in a store, and nothing in a sound one.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk as _, read_all};
use sekali_store::{Batch, Error, Finding, HashKey, IndexOptions, StoreMeta, Tuning, Verification, partition_of};

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

/// Changes the text of a manifest, and its checksum with it.
fn edit_manifest(disk: &MemoryDisk, edit: impl FnOnce(&mut String)) {
    let path = Path::new(DIR).join("p0000/MANIFEST");
    let mut text = String::from_utf8(read_all(disk, &path).unwrap()).unwrap();
    text.truncate(text.rfind("# checksum").unwrap());
    edit(&mut text);
    let sum = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
    assert!(disk.corrupt(&path, |bytes| *bytes = format!("{text}# checksum {sum:016x}\n").into_bytes()));
}

/// Takes the first segment out of a manifest that is named behind `from`. Returns its seqs.
fn forget_segment(text: &mut String, from: usize) -> (u64, u64) {
    let begin = from + text[from..].find("[[segment]]").unwrap();
    let end = begin + 11 + text[begin + 11..].find("\n[").unwrap() + 1;
    let entry: String = text.drain(begin..end).collect();
    let number = |name: &str| {
        let value = entry.split(name).nth(1).unwrap().trim_start_matches([' ', '=']);
        value.lines().next().unwrap().parse().unwrap()
    };
    (number("first_seq"), number("last_seq"))
}

#[test]
fn events_that_are_missing_without_a_word_are_found_even_beside_accepted_losses() {
    for has_losses in [false, true] {
        let tuning = Tuning { segment_fan_in: 1_000, ..BUSY };
        let disk = filled(tuning);
        if has_losses {
            disk.remove(&files(&disk, "parquet")[0]).unwrap();
            let mut opened = Opened::open_with(&disk, tuning).unwrap();
            assert_eq!(opened.accept_damage(), 1);
            assert_eq!(verify(&mut opened).findings, [], "a loss that was accepted is no finding");
        }
        let mut gone = (0, 0);
        edit_manifest(&disk, |text| {
            let second = text.find("[[segment]]").unwrap() + 1;
            gone = forget_segment(text, second);
        });
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        let findings = verify(&mut opened).findings;
        let (first_seq, last_seq) = gone;
        let missing = Finding::Missing { first_seq, last_seq, count: last_seq + 1 - first_seq };
        assert!(findings.contains(&missing), "{findings:?}");
        if !has_losses {
            assert!(findings.iter().any(|finding| matches!(finding, Finding::Counters { .. })), "{findings:?}");
        }
        assert!(findings.iter().all(|finding| !finding.to_string().is_empty() && !finding.advice().is_empty()));
    }
}

#[test]
fn an_event_in_the_partition_of_another_topic_is_found() {
    let disk = MemoryDisk::new();
    let meta = StoreMeta { store_id: 3, hash_key: HashKey([3; 32]), partitions: 2 };
    let store = options(&disk).tuning(LOG_ONLY).create(Path::new(DIR), &meta).unwrap();
    let hasher = store.hasher();
    let mut partitions = store.into_partitions();
    let own = |partition| (0..).map(|id| format!("t{id}")).find(|topic| partition_of(topic, 2) == partition).unwrap();
    for (number, topic) in [(0, own(0)), (0, own(1)), (1, own(1))] {
        let mut batch = Batch::new();
        batch.push(&hasher, &Sent::new(topic, 1, "payload").as_ref());
        partitions[number].commit(&[batch], 0, None).unwrap();
    }
    assert_eq!(partitions[0].verify(|_| {}).unwrap().findings, [Finding::WrongPartition { seq: 2, partition: 1 }]);
    assert_eq!(partitions[1].verify(|_| {}).unwrap().findings, []);
}
