//! Events with known keys and other bytes: compared beside the commits, each event once.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{
    Batch, ContentRules, Counters, Decision, EventRef, HashKey, Outcome, Partition, Scan, StoreMeta, StoreOptions,
};

use crate::support::{BUSY, LOG_ONLY, Opened, Oracle, RULES, Random, RandomEvents as _, Sent, collect, files};

thread_local! {
    /// Bytes of payloads that this thread has brought into their canonical form.
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// [`RULES`] that count.
const COUNTING: ContentRules = ContentRules {
    canonical: |payload| {
        BYTES.set(BYTES.get() + payload.len());
        (RULES.canonical)(payload)
    },
    ..RULES
};

fn counting(disk: &MemoryDisk) -> Opened {
    let meta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([3; 32]), partitions: 1 };
    let options = StoreOptions::new().disk(Arc::new(disk.clone())).rules(COUNTING).tuning(BUSY);
    let store = options.open_or_create(Path::new("/store"), &meta).unwrap();
    let hasher = store.hasher();
    Opened { partition: store.into_partitions().pop().unwrap(), hasher }
}

/// Events of one key, all with other content.
fn conflicting(id: &str, count: usize) -> Vec<Sent> {
    (0..count).map(|number| Sent::new("t", id, format!("other {number}"))).collect()
}

fn payload_bytes(events: &[Sent]) -> usize {
    events.iter().map(|event| event.payload.len()).sum()
}

#[test]
fn a_large_stored_event_is_not_taken_apart_for_each_of_many_conflicts() {
    let (large, conflicts) = (Sent::new("t", "k", "x ".repeat(100_000)), conflicting("k", 500));
    // Sealed, in the log, and in the same request.
    for stored in ["sealed", "logged", "together"] {
        let mut opened = counting(&MemoryDisk::new());
        let mut sent = conflicts.clone();
        match stored {
            "together" => sent.insert(0, large.clone()),
            _ => drop(opened.commit(std::slice::from_ref(&large)).unwrap()),
        }
        if stored == "sealed" {
            (0..30).for_each(|id| drop(opened.commit(&[Sent::new("u", id, "y".repeat(300))]).unwrap()));
            assert!(opened.reader().storage_stats().segments > 0);
        }
        BYTES.set(0);
        let outcomes = opened.commit(&sent).unwrap();
        assert!(outcomes.iter().rev().take(500).all(|outcome| *outcome == Outcome::Conflict { seq: 1 }), "{stored}");
        assert_eq!(BYTES.get(), large.payload.len() + payload_bytes(&conflicts), "{stored}");
    }
}

#[test]
fn nothing_is_read_or_taken_apart_while_other_commits_wait() {
    let disk = MemoryDisk::new();
    let mut opened = counting(&disk);
    let stored: Vec<_> = (0..40).map(|id| Sent::new("t", id, format!("stored {id}"))).collect();
    opened.commit(&stored).unwrap();
    let spelled: Vec<_> = (0..40).map(|id| Sent::new("t", id, format!(" stored  {id}"))).collect();
    let mut batch = opened.batch(&spelled);
    let reader = opened.reader();
    BYTES.set(0);
    let mut commit = opened.partition.begin();
    assert_eq!(commit.decide(std::slice::from_ref(&batch), 0).unwrap(), [Decision::SetAside]);
    assert_eq!((commit.bytes(), BYTES.get()), (0, 0), "a batch that is set aside leaves nothing behind");
    drop(commit);
    reader.compare(&mut batch).unwrap();
    let compared = BYTES.get();
    assert_eq!(compared, payload_bytes(&stored) + payload_bytes(&spelled));
    let mut commit = opened.partition.begin();
    let duplicates: Vec<_> = (1..=40).map(|seq| Outcome::Duplicate { seq }).collect();
    assert_eq!(commit.decide(&[batch], 0).unwrap(), [Decision::Decided(duplicates)]);
    assert_eq!(BYTES.get(), compared);
    commit.finish(None).unwrap();
}

#[test]
fn batches_that_need_no_comparison_pass_one_that_does() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    opened.commit(&[Sent::new("t", "k", "p")]).unwrap();
    let plain = |opened: &Opened, id: &str| opened.batch(&[Sent::new("t", id, "p")]);
    // A row of it is in the commit already when it is set aside.
    let mut aside = opened.batch(&[Sent::new("t", "new", "p"), Sent::new("t", "k", "other")]);
    let mut commit = opened.partition.begin();
    let batches = [plain(&opened, "a"), aside.clone(), plain(&opened, "b")];
    let stored = |seq| Decision::Decided(vec![Outcome::Stored { seq }]);
    assert_eq!(commit.decide(&batches, 0).unwrap(), [stored(2), Decision::SetAside, stored(3)]);
    commit.finish(None).unwrap();
    opened.reader().compare(&mut aside).unwrap();
    let mut commit = opened.partition.begin();
    let decided = vec![Outcome::Stored { seq: 4 }, Outcome::Conflict { seq: 1 }];
    assert_eq!(commit.decide(&[aside], 0).unwrap(), [Decision::Decided(decided)]);
    commit.finish(None).unwrap();
    let counters = Counters { received: 5, stored: 4, duplicates: 1, conflicts: 1 };
    assert_eq!(opened.reader().counters(), counters);
}

#[test]
fn a_key_that_another_request_stores_meanwhile_is_compared_too() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    opened.commit(&[Sent::new("t", "a", "p")]).unwrap();
    let mut batch = opened.batch(&[Sent::new("t", "a", " p"), Sent::new("t", "b", "p ")]);
    opened.reader().compare(&mut batch).unwrap();
    opened.commit(&[Sent::new("t", "b", "p")]).unwrap();
    let mut commit = opened.partition.begin();
    assert_eq!(commit.decide(std::slice::from_ref(&batch), 0).unwrap(), [Decision::SetAside]);
    drop(commit);
    opened.reader().compare(&mut batch).unwrap();
    let mut commit = opened.partition.begin();
    let decided = vec![Outcome::Duplicate { seq: 1 }, Outcome::Duplicate { seq: 2 }];
    assert_eq!(commit.decide(&[batch], 0).unwrap(), [Decision::Decided(decided)]);
}

#[test]
fn evidence_that_two_requests_found_at_once_is_kept_once() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    opened.commit(&[Sent::new("t", "k", "p")]).unwrap();
    let mut batches = [(); 3].map(|()| opened.batch(&[Sent::new("t", "k", "other")]));
    batches.iter_mut().for_each(|batch| opened.reader().compare(batch).unwrap());
    let conflict = Decision::Decided(vec![Outcome::Conflict { seq: 1 }]);
    // Two in one commit, and one behind it that was compared before there was evidence.
    for batches in [&batches[..2], &batches[2..]] {
        let mut commit = opened.partition.begin();
        assert!(commit.decide(batches, 0).unwrap().iter().all(|decision| *decision == conflict));
        commit.finish(None).unwrap();
    }
    assert_eq!(opened.reader().last_seq(), 2);
}

#[test]
fn a_conflict_with_what_was_lost_and_published_again_is_kept_beside_the_old_evidence() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let (original, conflict) = (Sent::new("t", "k", "original"), Sent::new("t", "k", "other"));
    opened.commit(std::slice::from_ref(&original)).unwrap();
    opened.commit(std::slice::from_ref(&conflict)).unwrap();
    let log = files(&disk, "log").pop().unwrap();
    disk.corrupt(&log, |bytes| {
        let at = bytes.windows(8).position(|bytes| bytes == b"original").unwrap();
        bytes[at] ^= 1;
    });
    assert!(opened.reader().find("t", "k").unwrap().is_none());
    assert_eq!(opened.commit(&[original]).unwrap(), [Outcome::Stored { seq: 3 }]);
    for _ in 0..2 {
        assert_eq!(opened.commit(std::slice::from_ref(&conflict)).unwrap(), [Outcome::Conflict { seq: 3 }]);
    }
    let scan = Scan { topic: Some("$conflicts".to_owned()), ..Scan::default() };
    let evidence: Vec<_> =
        collect(&opened.reader(), scan).into_iter().map(|event| (event.seq, event.event_id)).collect();
    let name = evidence[0].1.clone();
    assert_eq!(evidence, [(2, name.clone()), (4, format!("{name}-3"))]);
}

/// Sends a batch as the service does: it is compared whenever it is set aside.
fn send(partition: &Partition, batch: &mut Batch) -> Vec<Outcome> {
    loop {
        let mut commit = partition.begin();
        let decision = commit.decide(std::slice::from_ref(batch), 0).unwrap().pop().unwrap();
        commit.finish(None).unwrap();
        match decision {
            Decision::Decided(outcomes) => return outcomes,
            Decision::SetAside => partition.reader().compare(batch).unwrap(),
        }
    }
}

#[test]
fn a_batch_that_was_set_aside_has_the_outcomes_of_one_that_was_not() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let (at_once, aside) = (MemoryDisk::new(), MemoryDisk::new());
        let mut at_once = Opened::open(&at_once).unwrap();
        let aside = Opened::open(&aside).unwrap();
        let mut oracle = Oracle::default();
        for _ in 0..20 {
            let events = [random.events(), random.events(), random.events()].concat();
            let expected = at_once.commit(&events).unwrap();
            assert_eq!(send(&aside.partition, &mut aside.batch(&events)), expected);
            oracle.told(&events, &expected);
        }
        oracle.check(&aside);
        assert_eq!(collect(&aside.reader(), Scan::default()), collect(&at_once.reader(), Scan::default()));
        assert_eq!(aside.reader().counters(), at_once.reader().counters());
    }
}

#[test]
fn events_of_one_key_in_several_batches_of_a_commit_are_compared() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    let batches = ["p", " p", "q", "q "].map(|payload| opened.batch(&[Sent::new("t", "k", payload)]));
    let outcomes = opened.partition.commit(&batches, 0, None).unwrap().concat();
    let conflict = Outcome::Conflict { seq: 1 };
    assert_eq!(outcomes, [Outcome::Stored { seq: 1 }, Outcome::Duplicate { seq: 1 }, conflict, conflict]);
}

#[test]
fn another_source_is_another_content_however_the_payload_is_spelled() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    let event = |source, payload| EventRef { topic: "t", event_id: "k", timestamp_ns: 0, source, payload };
    let events = [event("a", b"p"), event("a", b" p"), event("b", b"p"), event("b", b" p")];
    let mut outcomes = Vec::new();
    for event in &events {
        let mut batch = Batch::new();
        batch.push(&opened.hasher, event);
        outcomes.extend(opened.partition.commit(&[batch], 0, None).unwrap().concat());
    }
    let conflict = Outcome::Conflict { seq: 1 };
    assert_eq!(outcomes, [Outcome::Stored { seq: 1 }, Outcome::Duplicate { seq: 1 }, conflict, conflict]);
}
