//! Random commits, reads and restarts against a map.

use std::collections::BTreeMap;

use sekali_store::Outcome;
use sekali_store::disk::memory::MemoryDisk;
use sekali_testkit::Trial;

use crate::crashes::promises_kept;
use crate::support::{Opened, Oracle, Random, RandomEvents as _, Sent};

/// The expected outcome of an event.
fn expected(model: &BTreeMap<(String, String), (u64, Sent)>, next_seq: u64, sent: &Sent) -> Outcome {
    let squeeze = |sent: &Sent| String::from_utf8_lossy(&sent.payload).replace(' ', "");
    match model.get(&sent.key()) {
        None => Outcome::Stored { seq: next_seq },
        Some((seq, stored)) if squeeze(stored) == squeeze(sent) => Outcome::Duplicate { seq: *seq },
        Some((seq, _)) => Outcome::Conflict { seq: *seq },
    }
}

#[test]
fn model() {
    let mut trial = Trial::begin("model", 1_600);
    while let Some(cycle) = trial.next_cycle() {
        let seed = trial.seed() + cycle;
        println!("case {seed}");
        let mut random = Random(seed);
        let mut disk = MemoryDisk::new();
        let mut opened = Opened::open(&disk).unwrap();
        let (mut model, mut evidence) = (BTreeMap::new(), BTreeMap::new());
        let (mut oracle, mut next_seq, mut sent_count) = (Oracle::default(), 1, 0);
        for _ in 0..random.below(30) {
            if random.below(5) == 0 {
                drop(opened);
                disk = disk.kill();
                opened = Opened::open(&disk).unwrap();
            }
            let events = random.events();
            let outcomes = opened.commit(&events).unwrap();
            sent_count += events.len() as u64;
            for (sent, outcome) in events.iter().zip(&outcomes) {
                assert_eq!(*outcome, expected(&model, next_seq, sent), "{sent:?}");
                match outcome {
                    Outcome::Stored { seq } => {
                        model.insert(sent.key(), (*seq, sent.clone()));
                        next_seq += 1;
                    }
                    // A repeated conflict is stored once.
                    Outcome::Conflict { .. } => {
                        let known = evidence.insert((sent.key(), sent.payload.clone()), ());
                        next_seq += u64::from(known.is_none());
                    }
                    Outcome::Duplicate { .. } => {}
                }
            }
            oracle.told(&events, &outcomes);
        }
        oracle.check(&opened);
        oracle.check_resend(&mut opened);
        assert_eq!(opened.reader().last_seq(), next_seq - 1);
        assert_eq!(opened.reader().counters().received, sent_count + model.len() as u64);
    }
    promises_kept(&mut trial);
    trial.end();
}

#[test]
fn the_same_batches_give_the_same_outcomes_however_they_are_split_by_restarts() {
    let mut random = Random(7);
    let commits: Vec<_> = (0..60).map(|_| random.events()).collect();
    let run = |restart_every: usize| {
        let mut disk = MemoryDisk::new();
        let mut opened = Opened::open(&disk).unwrap();
        let mut outcomes = Vec::new();
        for (number, events) in commits.iter().enumerate() {
            if number % restart_every == restart_every - 1 {
                opened.partition.close().unwrap();
                disk = disk.kill();
                opened = Opened::open(&disk).unwrap();
            }
            outcomes.push(opened.commit(events).unwrap());
        }
        (outcomes, opened.reader().counters(), opened.reader().last_seq())
    };
    assert_eq!(run(1_000), run(1));
    assert_eq!(run(1_000), run(7));
}
