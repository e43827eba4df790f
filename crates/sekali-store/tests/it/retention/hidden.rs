//! Events that are due by age are gone from reads at once, although their file is still there.

use std::collections::BTreeMap;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Order, Outcome, Reader, Retention, Scan, StoredEvent, Tuning};

use super::{Arc, Opened, PLAIN, Sent, ages, collect, event, filled};
use crate::support::{BUSY, LOG_ONLY, Random};

/// How the files of a store may be.
const TUNINGS: [Tuning; 3] = [LOG_ONLY, PLAIN, BUSY];

/// The rules, in force without anything being removed yet.
fn in_force(opened: &Opened, retention: &Arc<Retention>) {
    opened.partition.retainer().apply(Arc::clone(retention), 0);
}

/// Checks that every way to read shows the events of `all` that `shown` says, and no others.
fn check_reads(reader: &Reader, all: &[StoredEvent], shown: impl Fn(&StoredEvent) -> bool) {
    let expected: Vec<_> = all.iter().filter(|event| shown(event)).cloned().collect();
    assert_eq!(collect(reader, Scan::default()), expected);
    let mut backwards = collect(reader, Scan { order: Order::Descending, ..Scan::default() });
    backwards.reverse();
    assert_eq!(backwards, expected);
    assert_eq!(reader.oldest().unwrap(), expected.first().cloned());
    let mut topics = BTreeMap::<&str, Vec<StoredEvent>>::new();
    for event in &expected {
        topics.entry(&event.topic).or_default().push(event.clone());
    }
    for topic in ["debug.x", "main"] {
        let scan = Scan { topic: Some(topic.to_owned()), ..Scan::default() };
        assert_eq!(collect(reader, scan), topics.get(topic).cloned().unwrap_or_default());
    }
    let summaries = reader.topics().unwrap();
    let counted: Vec<_> = summaries.iter().map(|summary| (&*summary.topic, summary.events)).collect();
    assert_eq!(counted, topics.iter().map(|(topic, events)| (*topic, events.len() as u64)).collect::<Vec<_>>());
    for summary in summaries {
        let timestamps = topics[&*summary.topic].iter().map(|event| event.timestamp_ns);
        assert!(summary.first_timestamp_ns <= timestamps.clone().min().unwrap());
        assert!(summary.last_timestamp_ns >= timestamps.max().unwrap());
    }
    for event in all.iter().step_by(7) {
        let found = reader.find(&event.topic, &event.event_id).unwrap();
        assert_eq!(found, shown(event).then(|| event.clone()));
        let behind = Scan { after: Some(event.seq), ..Scan::default() };
        assert_eq!(collect(reader, behind).first(), expected.iter().find(|next| next.seq > event.seq));
    }
}

#[test]
fn what_is_due_is_in_no_read_although_its_file_is_still_there() {
    for tuning in TUNINGS {
        for rules in [
            &[("*", Some(100))][..],
            &[("debug.*", Some(40)), ("*", Some(100))],
            &[("debug.*", Some(40))],
            &[("debug.*", None), ("*", Some(70))],
            &[("main", Some(64)), ("debug.x", Some(64))],
        ] {
            let (disk, mut opened) = filled(tuning, 300);
            let all = collect(&opened.reader(), Scan::default());
            let retention = ages(rules);
            in_force(&opened, &retention);
            for now in [1, 100, 101, 102, 150, 151, 299, 300, 339, 340, 400, 500] {
                if now == 150 {
                    drop(opened);
                    opened = Opened::open_with(&disk.kill(), tuning).unwrap();
                    in_force(&opened, &retention);
                }
                let is_due = |event: &StoredEvent| {
                    retention.age_ns(&event.topic).is_some_and(|age| now - event.received_at_ns > age)
                };
                check_reads(&opened.reader().at(now), &all, |event| !is_due(event));
            }
            assert_eq!(collect(&opened.reader(), Scan::default()), all, "without a time everything is there");
            let again = opened.batch(&[event(1)]);
            let outcome = opened.partition.commit(&[again], 500, None).unwrap();
            assert_eq!(outcome, [[Outcome::Duplicate { seq: 1 }]], "the key stays known");
        }
    }
}

#[test]
fn what_is_due_stays_out_of_reads_while_files_are_sealed_merged_and_removed() {
    let mut random = Random(7);
    for tuning in TUNINGS {
        let retention = ages(&[("debug.*", Some(60)), ("*", Some(150))]);
        let mut opened = Opened::open_with(&MemoryDisk::new(), tuning).unwrap();
        let mut all = Vec::new();
        for now in 1..=600_i64 {
            opened.partition.retainer().apply(Arc::clone(&retention), if random.below(4) == 0 { now } else { 0 });
            let batch = opened.batch(&[event(now as u64)]);
            opened.partition.commit(&[batch], now, None).unwrap();
            all.extend(
                opened.reader().scan(Scan { after: Some(now as u64 - 1), ..Scan::default() }).map(Result::unwrap),
            );
            if random.below(20) == 0 {
                let is_due = |event: &StoredEvent| now - event.received_at_ns > retention.age_ns(&event.topic).unwrap();
                check_reads(&opened.reader().at(now), &all, |event| !is_due(event));
            }
        }
        assert_eq!(all.len(), 600);
    }
}

#[test]
fn a_new_rule_holds_for_the_next_read_and_a_scan_keeps_to_its_beginning() {
    let (_, opened) = filled(LOG_ONLY, 300);
    let reader = opened.reader().at(300);
    let mut before = reader.scan(Scan { bytes_max: Some(1), ..Scan::default() });
    assert_eq!(before.next().unwrap().unwrap().seq, 1);
    in_force(&opened, &ages(&[("*", Some(10))]));
    assert_eq!(collect(&reader, Scan::default()).len(), 11);
    assert_eq!(before.count(), 299);
    in_force(&opened, &ages(&[("*", Some(20))]));
    assert_eq!(collect(&reader, Scan::default()).len(), 21);
    in_force(&opened, &ages(&[]));
    assert_eq!(collect(&reader, Scan::default()).len(), 300);
}

#[test]
fn a_clock_that_was_wrong_for_some_commits_hides_nothing_early_and_keeps_nothing() {
    for tuning in TUNINGS {
        let mut opened = Opened::open_with(&MemoryDisk::new(), tuning).unwrap();
        // True times are 1 to 200. The clock was far behind for some commits, far ahead for others.
        for id in 1..=200_u64 {
            let said = match id {
                50..=60 => 3,
                100..=110 => 1_000_000,
                _ => id as i64,
            };
            let batch = opened.batch(&[event(id)]);
            opened.partition.commit(&[batch], said, None).unwrap();
        }
        in_force(&opened, &ages(&[("*", Some(100))]));
        for now in [140, 152, 161, 180, 205, 212, 260, 301] {
            let left: Vec<_> =
                collect(&opened.reader().at(now), Scan::default()).iter().map(|event| event.seq).collect();
            let first = left.first().copied().unwrap_or(201);
            assert_eq!(left, (first..=200).collect::<Vec<_>>());
            let due = now as u64 - 100;
            // Wrong times are those of the neighbours with right ones.
            let expected = match due {
                51..=61 => 50,
                101..=111 => 100,
                due => due.min(201),
            };
            assert!(first <= due, "{first} at {now}: hidden early");
            assert_eq!(first, expected.min(due), "at {now}");
        }
    }
}

#[test]
fn evidence_of_conflicts_goes_by_the_rule_of_its_topic() {
    let (_, mut opened) = filled(LOG_ONLY, 50);
    let other = opened.batch(&[Sent::new("main", 1, "other bytes")]);
    opened.partition.commit(&[other], 60, None).unwrap();
    in_force(&opened, &ages(&[("$conflicts", Some(5)), ("*", None)]));
    let evidence =
        |now| collect(&opened.reader().at(now), Scan { topic: Some("$conflicts".to_owned()), ..Scan::default() });
    assert_eq!((evidence(65).len(), evidence(66).len()), (1, 0));
}
