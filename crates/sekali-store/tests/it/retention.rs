//! Events expire; their keys, the counters and all other events stay unchanged.

mod crashes;
mod hidden;
mod model;
mod one_history;
mod small_stores;

use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::read_all;
use sekali_store::{
    AgeRule, Error, Finding, Outcome, Retention, Scan, SizeRule, StoredEvent, TopicPattern, Tuning, Verification,
};

use crate::support::{BUSY, Opened, Sent, collect, files};

/// Segments of some twenty events, never merged.
const PLAIN: Tuning = Tuning { segment_fan_in: 1_000, ..BUSY };

pub(crate) fn ages(rules: &[(&str, Option<i64>)]) -> Arc<Retention> {
    let rule = |&(pattern, age_ns): &(&str, _)| AgeRule { topics: TopicPattern::new(pattern), age_ns };
    Arc::new(Retention { ages: rules.iter().map(rule).collect(), sizes: Vec::new() })
}

fn size(pattern: &str, bytes: u64) -> Arc<Retention> {
    let sizes = vec![SizeRule { topics: TopicPattern::new(pattern), bytes }];
    Arc::new(Retention { ages: Vec::new(), sizes })
}

fn event(id: u64) -> Sent {
    Sent::new(if id.is_multiple_of(3) { "debug.x" } else { "main" }, id, format!("payload of {id}, some bytes long"))
}

/// Commits events 1 to `count`, one at a time. Each has its id as its seq and as its time of
/// receipt.
fn filled(tuning: Tuning, count: u64) -> (MemoryDisk, Opened) {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for id in 1..=count {
        let batch = opened.batch(&[event(id)]);
        assert_eq!(opened.partition.commit(&[batch], id as i64, None).unwrap(), [[Outcome::Stored { seq: id }]]);
    }
    (disk, opened)
}

/// Expires due events, by an empty commit.
fn expire(opened: &mut Opened, retention: &Arc<Retention>, now_ns: i64) {
    opened.partition.retainer().apply(Arc::clone(retention), now_ns);
    opened.commit_at(&[], now_ns).unwrap();
}

fn seqs(opened: &Opened) -> Vec<u64> {
    collect(&opened.reader(), Scan::default()).iter().map(|event| event.seq).collect()
}

/// Checks that `verify` finds nothing and that present and expired events are all events. Returns
/// the number of expired ones.
fn check(opened: &mut Opened) -> u64 {
    let reader = opened.reader();
    let events: u64 = reader.topics().unwrap().iter().map(|topic| topic.events).sum();
    assert_eq!(opened.partition.verify(|_| {}).unwrap(), Verification { events, ..Verification::default() });
    let (counters, expired) = (reader.counters(), reader.expired());
    assert_eq!(counters.stored, seqs(opened).len() as u64 + expired.events, "{expired:?}");
    for topic in reader.topics().unwrap() {
        let scan = Scan { topic: Some(topic.topic.clone()), ..Scan::default() };
        let times: Vec<_> = collect(&reader, scan).iter().map(|event| event.timestamp_ns).collect();
        assert_eq!(topic.events, times.len() as u64);
        let found = (times.iter().min().copied(), times.iter().max().copied());
        assert_eq!((Some(topic.first_timestamp_ns), Some(topic.last_timestamp_ns)), found);
    }
    expired.events
}

#[test]
fn by_age_the_old_segments_go_and_nothing_younger() {
    let (disk, mut opened) = filled(PLAIN, 300);
    expire(&mut opened, &ages(&[("*", Some(100))]), 300);
    let left = seqs(&opened);
    let oldest = left[0];
    assert!((170..=200).contains(&oldest), "{oldest}: all that a segment could spare, and no more");
    assert_eq!(left, (oldest..=300).collect::<Vec<_>>());
    assert_eq!(
        opened.reader().oldest().unwrap().map(|event| (event.seq, event.received_at_ns)),
        Some((oldest, oldest as i64))
    );
    assert_eq!(check(&mut opened), oldest - 1);
    let names = files(&disk, "parquet").len();
    drop(opened);
    let mut opened = Opened::open_with(&disk.kill(), PLAIN).unwrap();
    assert_eq!((seqs(&opened), files(&disk, "parquet").len()), (left, names));
    assert_eq!(check(&mut opened), oldest - 1);
}

#[test]
fn by_size_the_oldest_go_until_the_rest_fits() {
    let (_, mut opened) = filled(PLAIN, 300);
    let before = opened.reader().storage_stats().segment_bytes;
    expire(&mut opened, &size("*", before / 2), 0);
    let after = opened.reader().storage_stats().segment_bytes;
    assert!(after <= before / 2 && after > before / 3, "{after} of {before}");
    let left = seqs(&opened);
    assert_eq!(left, (left[0]..=300).collect::<Vec<_>>());
    assert_eq!(check(&mut opened), left[0] - 1);
    // Of this topic only, about a third of all events.
    let share = after / 3 / 2;
    expire(&mut opened, &size("debug.*", share), 0);
    let debug = |seq: &&u64| seq.is_multiple_of(3);
    let rest = seqs(&opened);
    assert!(rest.iter().filter(|seq| !debug(seq)).eq(left.iter().filter(|seq| !debug(seq))), "others are not touched");
    let (had, has) = (left.iter().filter(debug).count(), rest.iter().filter(debug).count());
    assert!(has < had && has > 0, "{has} of {had}");
    check(&mut opened);
}

#[test]
fn by_pattern_only_its_topics_go_and_exceptions_stay() {
    let (disk, mut opened) = filled(PLAIN, 300);
    // Closed files are sealed by the commit that follows.
    (0..2).for_each(|_| drop(opened.commit_at(&[], 300).unwrap()));
    let before = opened.reader().storage_stats().segments;
    expire(&mut opened, &ages(&[("debug.*", Some(100))]), 300);
    let left = seqs(&opened);
    assert!(left.iter().filter(|seq| !seq.is_multiple_of(3)).count() == 200, "others stay");
    let oldest = left.iter().copied().find(|seq| seq.is_multiple_of(3)).unwrap();
    assert!((165..=201).contains(&oldest), "{oldest}");
    assert_eq!(opened.reader().storage_stats().segments, before, "each was written anew");
    assert_eq!(files(&disk, "parquet").len(), before);
    assert_eq!(check(&mut opened), (oldest - 1) / 3);
    drop(opened);
    let mut opened = Opened::open_with(&disk.kill(), PLAIN).unwrap();
    assert_eq!(seqs(&opened), left);
    // Again, with an exception: one topic is kept for ever.
    expire(&mut opened, &ages(&[("debug.*", None), ("*", Some(0))]), 1_000);
    let rest = seqs(&opened);
    assert!(rest.iter().filter(|seq| seq.is_multiple_of(3)).eq(left.iter().filter(|seq| seq.is_multiple_of(3))));
    check(&mut opened);
    // A topic without events is not listed.
    for id in 301..400 {
        let other = Sent::new("other", id, "to close the log file with, which takes some bytes");
        opened.commit_at(&[other], 1_000).unwrap();
    }
    expire(&mut opened, &ages(&[("debug.*", Some(0)), ("main", Some(0))]), 2_000);
    assert!(
        opened.reader().topics().unwrap().iter().all(|topic| topic.topic == "other"),
        "{:?}",
        opened.reader().topics().unwrap()
    );
    check(&mut opened);
}

#[test]
fn a_late_resend_is_a_duplicate_and_with_other_content_a_conflict() {
    let (disk, mut opened) = filled(PLAIN, 300);
    expire(&mut opened, &ages(&[("*", Some(100))]), 300);
    let gone = check(&mut opened);
    assert!(gone > 50);
    for restart in [false, true] {
        if restart {
            drop(opened);
            opened = Opened::open(&disk.kill()).unwrap();
        }
        let all: Vec<_> = (1..=300).map(event).collect();
        let outcomes = opened.commit_at(&all, 300).unwrap();
        assert!(outcomes.iter().zip(1..).all(|(outcome, seq)| *outcome == Outcome::Duplicate { seq }), "{outcomes:?}");
        let changed = Sent::new("main", 1, "changed");
        assert_eq!(opened.reader().find("main", "1").unwrap(), None);
        assert_eq!(opened.commit_at(&[changed], 300).unwrap(), [Outcome::Conflict { seq: 1 }]);
        let conflicts = Scan { topic: Some("$conflicts".to_owned()), ..Scan::default() };
        let evidence: Vec<StoredEvent> = collect(&opened.reader(), conflicts);
        assert_eq!(evidence.len(), 1, "kept, and kept once");
        assert_eq!(evidence[0].payload, b"1:changed");
        check(&mut opened);
    }
    // Evidence expires like any event, but its key does not.
    for id in 301..400 {
        opened.commit_at(&[event(id)], id as i64).unwrap();
    }
    expire(&mut opened, &ages(&[("*", Some(0))]), 10_000);
    assert_eq!(opened.reader().expired().evidence, 1);
    assert_eq!(opened.commit_at(&[Sent::new("main", 1, "changed")], 10_000).unwrap(), [Outcome::Conflict { seq: 1 }]);
    assert_eq!(opened.reader().topics().unwrap().iter().filter(|topic| topic.topic == "$conflicts").count(), 0);
    check(&mut opened);
}

#[test]
fn a_scan_in_progress_is_not_disturbed() {
    for retention in [ages(&[("*", Some(0))]), ages(&[("debug.*", Some(0))])] {
        let (_, mut opened) = filled(PLAIN, 300);
        let mut scan = opened.reader().scan(Scan::default());
        let first = scan.next().unwrap().unwrap();
        expire(&mut opened, &retention, 1_000);
        assert!(check(&mut opened) > 50);
        let read: Vec<_> = scan.map(|event| event.unwrap().seq).collect();
        assert_eq!((first.seq, read), (1, (2..=300).collect()));
    }
}

#[test]
fn keys_that_a_rebuilt_index_cannot_know_are_named() {
    let (disk, mut opened) = filled(PLAIN, 300);
    expire(&mut opened, &ages(&[("*", Some(100))]), 300);
    let last_seq = opened.reader().expired().last_seq;
    opened.partition.forget_index().unwrap();
    drop(opened);
    let disk = disk.kill();
    let mut opened = Opened::open(&disk).unwrap();
    assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [Finding::ForgottenKeys { last_seq }]);
    // Events that were sealed before the index was rebuilt expire only once the index has them on
    // disk again.
    expire(&mut opened, &ages(&[("*", Some(0))]), 300);
    drop(opened);
    let disk = disk.kill();
    let mut opened = Opened::open(&disk).unwrap();
    assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [Finding::ForgottenKeys { last_seq }]);
    let known: Vec<_> = (last_seq + 1..=300).map(event).collect();
    let outcomes = opened.commit(&known).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
    drop(opened);
    // The start notices a damaged run and reports it.
    let run = files(&disk, "run").remove(0);
    disk.corrupt(&run, |bytes| bytes.fill(0));
    let opened = Opened::open(&disk.kill()).unwrap();
    let why = opened.partition.rebuilt_index().unwrap();
    assert!(why.contains("the keys of events up to seq"), "{why}");
}

/// A store of 300 events of which most have expired, and the last seq of those.
fn mostly_expired() -> (MemoryDisk, u64) {
    let (disk, mut opened) = filled(PLAIN, 300);
    expire(&mut opened, &ages(&[("*", Some(100))]), 300);
    let last_seq = opened.reader().expired().last_seq;
    assert!(last_seq > 150, "{last_seq}");
    (disk, last_seq)
}

/// How many of the first `events` events a resend stores.
fn stored_again(opened: &mut Opened, events: u64) -> usize {
    let outcomes = opened.commit(&(1..=events).map(event).collect::<Vec<_>>()).unwrap();
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored { .. })).count()
}

#[test]
fn a_damaged_run_forgets_no_key_that_one_of_its_sound_blocks_has() {
    let (clean, _) = mostly_expired();
    for run in files(&clean, "run") {
        let len = read_all(&clean, &run).unwrap().len();
        // Its header, its footer, and what lies between the blocks and the footer.
        for at in [20, len - 30, len - 70] {
            let what = format!("{} at {at}", run.display());
            let disk = clean.kill();
            disk.corrupt(&run, |bytes| bytes[at] ^= 1);
            let mut opened = Opened::open(&disk).unwrap();
            assert!(opened.partition.rebuilt_index().is_some(), "{what}");
            assert_eq!(opened.reader().flaws(), [""; 0], "{what}");
            assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [], "{what}");
            assert_eq!(stored_again(&mut opened, 300), 0, "{what}");
            drop(opened);
            let opened = Opened::open(&disk.kill()).unwrap();
            assert_eq!(opened.partition.rebuilt_index(), None, "{what}: it is mended for good");
        }
    }
}

#[test]
fn keys_of_expired_events_that_are_lost_with_a_block_are_named_until_that_is_accepted() {
    let (clean, last_seq) = mostly_expired();
    for run in files(&clean, "run") {
        let what = run.display().to_string();
        let disk = clean.kill();
        disk.corrupt(&run, |bytes| bytes[4_096 + 1_000] ^= 1);
        {
            let mut opened = Opened::open(&disk).unwrap();
            // A start reads no blocks; the first look-up meets this one.
            match opened.commit(&(1..=300).map(event).collect::<Vec<_>>()) {
                Err(Error::Stopped(_)) => {}
                // Small blocks have zeros there, under the checksum too.
                other => panic!("{what}: {other:?}"),
            }
        }
        let disk = disk.kill();
        let named = |opened: &Opened| opened.reader().flaws().iter().any(|flaw| flaw.contains("has lost keys"));
        let opened = Opened::open(&disk).unwrap();
        assert!(opened.partition.rebuilt_index().is_some(), "{what}");
        let is_named = named(&opened);
        drop(opened);
        let mut opened = Opened::open(&disk).unwrap();
        assert_eq!(named(&opened), is_named, "{what}: after a restart");
        let stored = stored_again(&mut opened, 300);
        assert!(stored <= 140, "{what}: {stored} keys were in one block");
        assert!(is_named || stored == 0, "{what}: {stored} keys were forgotten silently");
        if is_named {
            let findings = opened.partition.verify(|_| {}).unwrap().findings;
            assert!(
                matches!(findings[..], [Finding::ForgottenKeys { last_seq: seq }] if seq <= last_seq),
                "{findings:?}"
            );
            assert_eq!(opened.accept_damage(), 1);
            assert!(!named(&opened));
            drop(opened);
            assert!(!named(&Opened::open(&disk).unwrap()), "{what}: accepted for good");
        }
    }
}

#[test]
fn merged_segments_stay_small_enough_to_expire_bit_by_bit() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let retention = ages(&[("*", Some(160))]);
    for id in 1..=1_000 {
        opened.partition.retainer().apply(Arc::clone(&retention), id);
        let batch = opened.batch(&[event(id as u64)]);
        opened.partition.commit(&[batch], id, None).unwrap();
        let kept = id as u64 - opened.reader().oldest().unwrap().unwrap().seq;
        assert!((id.min(160) as u64..=260).contains(&(kept + 1)), "{kept} at {id}");
    }
    check(&mut opened);
}

#[test]
fn a_scan_that_pauses_keeps_no_expired_events() {
    let (_disk, mut opened) = filled(PLAIN, 200);
    let begin = || {
        let mut scanner = opened.reader().scan(Scan::default());
        assert_eq!(scanner.next().unwrap().unwrap().seq, 1);
        scanner
    };
    let (going_on, mut pausing) = (begin(), begin());
    pausing.release();
    expire(&mut opened, &ages(&[("*", Some(50))]), 200);
    let left = seqs(&opened);
    assert!(left.len() < 150, "nothing has expired");
    let rest = |scanner: sekali_store::Scanner| scanner.map(|event| event.unwrap().seq).collect::<Vec<_>>();
    assert_eq!(rest(pausing), left);
    assert!(rest(going_on).len() > 190, "the other still sees the moment at which it began");
}
