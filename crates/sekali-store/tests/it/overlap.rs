//! Commits that are decided while the one before is being written.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_store::{Decision, Error, Outcome, Result, Scan};

use crate::support::{BUSY, LOG_ONLY, Opened, Oracle, Random, RandomEvents as _, Sent, collect};

/// Finishes a commit of `events` on another thread with its sync held, and returns the result of
/// `meanwhile`, which runs beside it.
fn beside<T>(
    disk: &MemoryDisk,
    opened: &Opened,
    events: &[Sent],
    meanwhile: impl FnOnce() -> T,
) -> (Result<Vec<Outcome>>, T) {
    disk.hold_syncs(true);
    thread::scope(|scope| {
        let first = scope.spawn(|| commit(opened, events));
        disk.until_sync_waits();
        let done = meanwhile();
        disk.hold_syncs(false);
        (first.join().expect("no panic"), done)
    })
}

/// Commits events, once more after each time that they are set aside.
fn commit(opened: &Opened, events: &[Sent]) -> Result<Vec<Outcome>> {
    let mut batch = opened.batch(events);
    loop {
        let mut commit = opened.partition.begin();
        let decision = commit.decide(std::slice::from_ref(&batch), 0)?.pop();
        commit.finish(None)?;
        match decision.and_then(Decision::outcomes) {
            Some(outcomes) => return Ok(outcomes),
            None => opened.reader().compare(&mut batch)?,
        }
    }
}

/// The third have keys of the first and the second, and other bytes.
fn some_events() -> [Vec<Sent>; 3] {
    let first = vec![Sent::new("t", "a", "p"), Sent::new("t", "b", "p")];
    let second = vec![Sent::new("t", "a", "p"), Sent::new("t", "c", "p"), Sent::new("t", "d", "p")];
    let third = vec![
        Sent::new("t", "a", " p "),
        Sent::new("t", "b", "other"),
        Sent::new("t", "c", "other"),
        Sent::new("t", "e", "p"),
    ];
    [first, second, third]
}

#[test]
fn what_is_being_written_is_known_and_nobody_sees_it() {
    let [first, second, third] = some_events();
    let expected = {
        let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
        let outcomes = [&first, &second, &third].map(|events| opened.commit(events).unwrap());
        (outcomes, opened.reader().counters(), collect(&opened.reader(), Scan::default()))
    };
    let disk = MemoryDisk::new();
    let opened = Opened::open(&disk).unwrap();
    let (written, (next, decisions)) = beside(&disk, &opened, &first, || {
        let mut next = opened.partition.begin();
        let decisions = next.decide(&[&second, &third].map(|events| opened.batch(events)), 0).unwrap();
        assert_eq!(opened.reader().last_seq(), 0, "readers see only what is durable");
        (next, decisions)
    });
    next.finish(None).unwrap();
    let [decided, aside] = <[_; 2]>::try_from(decisions).unwrap();
    assert_eq!(aside, Decision::SetAside, "it cannot be compared with what is being written");
    let outcomes = [written.unwrap(), decided.outcomes().unwrap(), commit(&opened, &third).unwrap()];
    let found = (outcomes, opened.reader().counters(), collect(&opened.reader(), Scan::default()));
    assert_eq!(found, expected);
}

#[test]
fn nothing_is_written_upon_a_commit_that_failed() {
    for fault in Fault::ALL {
        let [first, second, _] = some_events();
        let disk = MemoryDisk::new();
        let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
        let (written, next) = beside(&disk, &opened, &first, || {
            let mut next = opened.partition.begin();
            next.decide(&[opened.batch(&second)], 0).unwrap();
            disk.fail_call(disk.calls(), fault);
            next
        });
        assert!(matches!(written, Err(Error::Stopped(_))), "{fault:?}: {written:?}");
        let calls = disk.calls();
        assert!(matches!(next.finish(None), Err(Error::Stopped(_))), "{fault:?}");
        assert_eq!(disk.calls(), calls, "{fault:?}: the disk was touched");
        drop(opened);
        let mut opened = Opened::open_with(&disk.power_cut(&mut |_| 0), LOG_ONLY).unwrap();
        let outcomes = opened.commit(&second).unwrap();
        assert_eq!(outcomes.first(), Some(&Outcome::Stored { seq: 1 }), "{fault:?}: nothing that failed is known");
    }
}

#[test]
fn a_commit_that_is_dropped_was_never_there() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let [first, second, _] = some_events();
    let mut dropped = opened.partition.begin();
    dropped.decide(&[opened.batch(&first)], 0).unwrap();
    drop(dropped);
    assert_eq!(opened.reader().last_seq(), 0);
    assert_eq!(opened.commit(&second).unwrap().first(), Some(&Outcome::Stored { seq: 1 }));
}

#[test]
fn batches_that_cannot_be_decided_leave_the_commit_as_it_was() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    // Larger than a block, so that the commit has complete blocks when it is rolled back.
    let large = |id: &str| Sent::new("t", id, "x".repeat(70_000));
    opened.commit(&[large("known")]).unwrap();
    let too_much = vec![opened.batch(&[large("too much")]); 4_000];
    let mut commit = opened.partition.begin();
    commit.decide(&[opened.batch(&[large("a"), Sent::new("t", "b", "p")])], 0).unwrap();
    let bytes = commit.bytes();
    assert!(matches!(commit.decide(&too_much, 0), Err(Error::Invalid(_))));
    assert_eq!(commit.bytes(), bytes);
    let aside = opened.batch(&[large("d"), large("b")]);
    assert_eq!(commit.decide(&[aside], 0).unwrap(), [Decision::SetAside]);
    assert_eq!(commit.bytes(), bytes);
    let decisions = commit.decide(&[opened.batch(&[large("c"), large("known")])], 0).unwrap();
    let outcomes = vec![Outcome::Stored { seq: 4 }, Outcome::Duplicate { seq: 1 }];
    assert_eq!(decisions, [Decision::Decided(outcomes)]);
    commit.finish(None).unwrap();
    let counters = opened.reader().counters();
    assert_eq!((counters.received, counters.stored, counters.duplicates, counters.conflicts), (5, 4, 1, 0));
    drop(opened);
    let opened = Opened::open_with(&disk.power_cut(&mut |_| 0), LOG_ONLY).unwrap();
    assert_eq!(opened.reader().counters(), counters);
}

/// Threads that commit the same few keys.
#[test]
fn of_many_who_commit_at_once_one_stores_each_key() {
    for (seed, tuning) in [(1, BUSY), (2, LOG_ONLY)] {
        let disk = MemoryDisk::new();
        let opened = Opened::open_with(&disk, tuning).unwrap();
        let told = Mutex::new(BTreeMap::<u64, (Sent, Outcome)>::new());
        let others = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..4 {
                let (opened, told, others) = (&opened, &told, &others);
                scope.spawn(move || {
                    let mut random = Random(seed * 100 + number);
                    for _ in 0..60 {
                        let events = random.events();
                        let outcomes = commit(opened, &events).unwrap();
                        for (event, outcome) in events.into_iter().zip(outcomes) {
                            match outcome {
                                Outcome::Stored { seq } => {
                                    let before = told.lock().unwrap().insert(seq, (event, outcome));
                                    assert!(before.is_none(), "two events with one seq");
                                }
                                _ => others.lock().unwrap().push((event, outcome)),
                            }
                        }
                    }
                });
            }
        });
        // Judged in the order of the log: first the stored event, then the events compared with it.
        let mut oracle = Oracle::default();
        for (event, outcome) in told.into_inner().unwrap().into_values().chain(others.into_inner().unwrap()) {
            oracle.told(&[event], &[outcome]);
        }
        oracle.check(&opened);
        drop(opened);
        let mut opened = Opened::open_with(&disk.power_cut(&mut |_| 0), tuning).unwrap();
        oracle.check(&opened);
        oracle.check_resend(&mut opened);
    }
}
