//! Stores that were given one history answer it alike, however their files have fared.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Counters, Error, Outcome, Retention, Scan, StoredEvent, Tuning};

use super::{Opened, Sent, ages, collect};
use crate::support::{BUSY, LOG_ONLY, Random, RandomEvents as _};

/// Batches that arrive at one time.
struct Arrival {
    time: i64,
    batches: Vec<Vec<Sent>>,
}

/// How a store lives.
struct Life {
    tuning: Tuning,
    /// Whether the batches of an arrival make one commit, or one each.
    is_grouped: bool,
    /// Draws restarts and expiry, if there are any.
    random: Option<Random>,
}

/// All that can be told of a store.
#[derive(Debug, PartialEq)]
struct Told {
    outcomes: Vec<Vec<Outcome>>,
    counters: Counters,
    last_seq: u64,
}

fn history(random: &mut Random) -> Vec<Arrival> {
    let mut time = 0;
    (0..40)
        .map(|_| {
            time += 1 + random.below(4) as i64;
            Arrival { time, batches: (0..=random.below(3)).map(|_| random.events()).collect() }
        })
        .collect()
}

fn live(history: &[Arrival], retention: &Arc<Retention>, mut life: Life) -> (Told, BTreeMap<u64, StoredEvent>) {
    let mut disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, life.tuning).unwrap();
    // Too early for anything to go; but the rule is in force.
    opened.partition.retainer().apply(Arc::clone(retention), 0);
    let mut outcomes = Vec::new();
    for Arrival { time, batches } in history {
        if let Some(random) = &mut life.random {
            if random.below(6) == 0 {
                drop(opened);
                disk = disk.kill();
                opened = Opened::open_with(&disk, life.tuning).unwrap();
                opened.partition.retainer().apply(Arc::clone(retention), 0);
            }
            if random.below(2) == 0 {
                opened.partition.retainer().apply(Arc::clone(retention), *time);
            }
        }
        let batches: Vec<_> = batches.iter().map(|events| opened.batch(events)).collect();
        for commit in batches.chunks(if life.is_grouped { batches.len() } else { 1 }) {
            outcomes.extend(opened.partition.commit(commit, *time, None).unwrap());
        }
    }
    let reader = opened.reader();
    let conflicts = Scan { topic: Some("$conflicts".to_owned()), ..Scan::default() };
    let rows = [collect(&reader, Scan::default()), collect(&reader, conflicts)].concat();
    let rows = rows.into_iter().map(|event| (event.seq, event)).collect();
    (Told { outcomes, counters: reader.counters(), last_seq: reader.last_seq() }, rows)
}

#[test]
fn one_history_has_one_answer_whether_or_not_its_files_have_expired() {
    let mut expired = 0;
    for seed in 0..80 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let history = history(&mut random);
        let retention = match seed % 3 {
            0 => ages(&[("*", Some(10))]),
            1 => ages(&[("topic-1", Some(5)), ("$*", None), ("*", Some(30))]),
            _ => ages(&[]),
        };
        let (kept, all) = live(&history, &retention, Life { tuning: LOG_ONLY, is_grouped: true, random: None });
        for is_grouped in [true, false] {
            let life = Life { tuning: BUSY, is_grouped, random: Some(Random(seed + 1_000)) };
            let (told, rows) = live(&history, &retention, life);
            assert_eq!(told, kept);
            let end = history.last().unwrap().time;
            for (seq, event) in &all {
                let age = retention.age_ns(&event.topic);
                match rows.get(seq) {
                    Some(found) => assert_eq!(found, event),
                    None => assert!(age.is_some_and(|age| end - event.received_at_ns > age), "{event:?} is missing"),
                }
            }
            assert!(rows.keys().all(|seq| all.contains_key(seq)));
            expired += all.len() - rows.len();
        }
    }
    assert!(expired > 0, "nothing expired: nothing was tested");
}

#[test]
fn what_is_past_its_age_is_not_compared_though_it_is_still_there() {
    let mut opened = Opened::open_with(&MemoryDisk::new(), LOG_ONLY).unwrap();
    let mut commit = |payload: &str, time| {
        let batch = opened.batch(&[Sent::new("t", "k", payload)]);
        let outcome = opened.partition.commit(&[batch], time, None).unwrap()[0][0];
        // Only once there is a rule does an event have an age.
        opened.partition.retainer().apply(ages(&[("t", Some(10))]), 0);
        outcome
    };
    assert_eq!(commit("p", 1), Outcome::Stored { seq: 1 });
    assert_eq!(commit(" p", 11), Outcome::Duplicate { seq: 1 });
    assert_eq!(commit(" p", 12), Outcome::Conflict { seq: 1 });
    assert_eq!(commit("p", 12), Outcome::Duplicate { seq: 1 }, "the same bytes are always a duplicate");
}

#[test]
fn no_position_of_another_log_is_committed_twice_or_left_out() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let commit = |opened: &mut Opened, id: u64, upstream| {
        let batch = opened.batch(&[Sent::new("t", id, "p")]);
        opened.partition.commit(&[batch], 0, upstream).map(|outcomes| outcomes[0][0])
    };
    assert_eq!(opened.reader().upstream(), None);
    assert_eq!(commit(&mut opened, 1, Some(7)).unwrap(), Outcome::Stored { seq: 1 });
    for wrong in [0, 6, 7, 9, u64::MAX] {
        let refused = commit(&mut opened, 2, Some(wrong));
        assert!(matches!(&refused, Err(Error::Invalid(what)) if what.contains("does not follow 7")), "{refused:?}");
    }
    // A commit of the store's own moves no position.
    assert_eq!(commit(&mut opened, 3, None).unwrap(), Outcome::Stored { seq: 2 });
    assert_eq!((opened.reader().upstream(), opened.reader().last_seq()), (Some(7), 2));
    drop(opened);
    let mut opened = Opened::open(&disk.kill()).unwrap();
    assert_eq!(opened.reader().upstream(), Some(7));
    assert!(commit(&mut opened, 2, Some(7)).is_err());
    assert_eq!(commit(&mut opened, 2, Some(8)).unwrap(), Outcome::Stored { seq: 3 });
    assert_eq!((opened.reader().upstream(), opened.partition.upstream()), (Some(8), Some(8)));
}
