//! Random commits, expiry and restarts against a map that keeps everything.

use std::collections::BTreeMap;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Outcome, Scan, StoredEvent};
use sekali_testkit::Trial;

use super::{Opened, Sent, ages, check, collect, size};
use crate::crashes::promises_kept;
use crate::support::{Random, RandomEvents as _};

/// Every key ever stored, with its seq, its expected content and its time.
type Model = BTreeMap<(String, String), (u64, Sent, i64)>;

/// The expected outcome of an event. Once the stored bytes are due or gone, other bytes are not
/// compared and make a conflict.
fn expected(model: &Model, opened: &Opened, next_seq: u64, sent: &Sent, age: Option<i64>, now: i64) -> Outcome {
    let squeeze = |sent: &Sent| String::from_utf8_lossy(&sent.payload).replace(' ', "");
    match model.get(&sent.key()) {
        None => Outcome::Stored { seq: next_seq },
        Some((seq, stored, _)) if stored.payload == sent.payload => Outcome::Duplicate { seq: *seq },
        Some((seq, stored, time)) => {
            let is_there = age.is_none_or(|age| now - time <= age)
                && opened.reader().find(&sent.topic, &sent.event_id).unwrap().is_some();
            let same = is_there && squeeze(stored) == squeeze(sent);
            if same { Outcome::Duplicate { seq: *seq } } else { Outcome::Conflict { seq: *seq } }
        }
    }
}

#[test]
fn model_with_expiry() {
    let mut trial = Trial::begin("model_with_expiry", 400);
    let mut expired_ever = 0;
    while let Some(cycle) = trial.next_cycle() {
        let seed = trial.seed() + cycle;
        println!("case {seed}");
        let mut random = Random(seed);
        let mut disk = MemoryDisk::new();
        let mut opened = Opened::open(&disk).unwrap();
        let mut model = Model::new();
        for now in 1..=random.below(60) as i64 {
            if random.below(8) == 0 {
                drop(opened);
                disk = disk.kill();
                opened = Opened::open(&disk).unwrap();
            }
            let retention = match random.below(6) {
                0 => ages(&[("*", Some(10))]),
                1 => ages(&[("topic-1", Some(5)), ("*", Some(20))]),
                2 => size("*", 20_000),
                3 => size("*-2", 3_000),
                _ => ages(&[]),
            };
            // Due events expire before the events of the next commit are decided.
            super::expire(&mut opened, &retention, now);
            let events = random.events();
            for sent in events {
                let next_seq = opened.reader().last_seq() + 1;
                let wanted = expected(&model, &opened, next_seq, &sent, retention.age_ns(&sent.topic), now);
                let batch = opened.batch(std::slice::from_ref(&sent));
                let outcome = opened.partition.commit(&[batch], now, None).unwrap()[0][0];
                assert_eq!(outcome, wanted, "{sent:?}");
                if let Outcome::Stored { seq } = outcome {
                    model.insert(sent.key(), (seq, sent, now));
                }
            }
        }
        let left: Vec<StoredEvent> = collect(&opened.reader(), Scan::default());
        for event in &left {
            let (seq, sent, _) = &model[&(event.topic.clone(), event.event_id.clone())];
            assert_eq!((*seq, &sent.payload), (event.seq, &event.payload));
        }
        let expired = check(&mut opened);
        assert_eq!(left.len() as u64 + expired, model.len() as u64);
        expired_ever += expired;
    }
    assert!(expired_ever > 0, "nothing expired: nothing was tested");
    trial.note("expired", expired_ever);
    promises_kept(&mut trial);
    trial.end();
}
