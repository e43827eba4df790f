//! Stores whose events all fit into one log file: they are sealed, and expire, like large ones.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Outcome, Tuning};

use super::{Arc, Opened, Retention, Sent, ages, check, event, expire, files, seqs, size};
use crate::support::BUSY;

const SECOND_NS: i64 = 1_000_000_000;

/// Log files that a test does not fill.
const ROOMY: Tuning = Tuning { log_file_bytes: 64 << 20, segment_fan_in: 1_000, ..BUSY };

/// Commits events 1 to `count`, one each second.
fn one_a_second(opened: &mut Opened, count: u64) {
    for id in 1..=count {
        let batch = opened.batch(&[event(id)]);
        let outcomes = opened.partition.commit(&[batch], id as i64 * SECOND_NS, None).unwrap();
        assert_eq!(outcomes, [[Outcome::Stored { seq: id }]]);
    }
}

fn at(opened: &mut Opened, retention: &Arc<Retention>, second: i64) {
    opened.partition.retainer().apply(Arc::clone(retention), second * SECOND_NS);
    opened.commit_at(&[], second * SECOND_NS).unwrap();
}

#[test]
fn what_is_due_goes_although_its_log_file_is_not_full() {
    for restart in [false, true] {
        let disk = MemoryDisk::new();
        let mut opened = Opened::open_with(&disk, ROOMY).unwrap();
        one_a_second(&mut opened, 60);
        if restart {
            drop(opened);
            opened = Opened::open_with(&disk.kill(), ROOMY).unwrap();
        }
        let minute = ages(&[("*", Some(60 * SECOND_NS))]);
        at(&mut opened, &minute, 100);
        assert_eq!(seqs(&opened).len(), 60, "the newest event of the file is not due");
        assert_eq!(opened.reader().storage_stats().segments, 1, "but it is in a segment by now");
        at(&mut opened, &minute, 121);
        assert!(seqs(&opened).is_empty());
        assert_eq!(check(&mut opened), 60);
    }
}

#[test]
fn what_is_due_soon_is_not_kept_by_what_came_long_after_it() {
    let mut opened = Opened::open_with(&MemoryDisk::new(), ROOMY).unwrap();
    let hour = ages(&[("*", Some(3_600 * SECOND_NS))]);
    for id in 1..=600 {
        let second = id as i64 * 30;
        opened.partition.retainer().apply(Arc::clone(&hour), second * SECOND_NS);
        let batch = opened.batch(&[event(id)]);
        opened.partition.commit(&[batch], second * SECOND_NS, None).unwrap();
        let oldest = seqs(&opened)[0] as i64 * 30;
        // A sixty-fourth of an hour, and the interval of the commits.
        assert!(oldest >= second - 3_600 - 60 - 60, "{oldest} at {second}");
    }
    check(&mut opened);
}

#[test]
fn a_log_is_sealed_after_an_hour_and_when_nothing_comes_any_more() {
    for (second, sealed) in [(200, false), (361, true)] {
        let mut opened = Opened::open_with(&MemoryDisk::new(), ROOMY).unwrap();
        one_a_second(&mut opened, 60);
        at(&mut opened, &Arc::default(), second);
        assert_eq!(opened.reader().storage_stats().segments > 0, sealed, "{second}");
        assert_eq!(seqs(&opened).len(), 60);
        check(&mut opened);
    }
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, ROOMY).unwrap();
    for id in 1..=80 {
        let second = id as i64 * 60;
        opened.partition.retainer().apply(Arc::default(), second * SECOND_NS);
        let batch = opened.batch(&[event(id)]);
        opened.partition.commit(&[batch], second * SECOND_NS, None).unwrap();
        let unsealed_ns = opened.reader().storage_stats().oldest_unsealed_ns.unwrap();
        assert!(second * SECOND_NS - unsealed_ns <= 3_600 * SECOND_NS, "{unsealed_ns} at {second}");
    }
    assert_eq!(files(&disk, "parquet").len(), 1);
    check(&mut opened);
}

#[test]
fn a_log_that_is_slow_to_search_is_sealed_soon() {
    let batch_of = |opened: &Opened, megabytes: u64, first: u64| {
        let events = (first..first + megabytes).map(|id| Sent { payload: vec![b'1'; 1 << 20], ..event(id) });
        opened.batch(&events.collect::<Vec<_>>())
    };
    // Megabytes at the beginning and 50 s later, when the log is looked at, and whether it is sealed.
    for (megabytes, second, sealed) in
        [((3, 0), 40, false), ((5, 0), 10, false), ((5, 0), 16, true), ((9, 9), 59, false), ((9, 9), 61, true)]
    {
        let mut opened = Opened::open_with(&MemoryDisk::new(), ROOMY).unwrap();
        let first = batch_of(&opened, megabytes.0, 1);
        opened.partition.commit(&[first], 0, None).unwrap();
        if megabytes.1 > 0 {
            let more = batch_of(&opened, megabytes.1, 1 + megabytes.0);
            opened.partition.commit(&[more], 50 * SECOND_NS, None).unwrap();
        }
        at(&mut opened, &Arc::default(), second);
        assert_eq!(opened.reader().storage_stats().segments > 0, sealed, "{megabytes:?} after {second} s");
        assert_eq!(seqs(&opened).len() as u64, megabytes.0 + megabytes.1);
        check(&mut opened);
    }
}

#[test]
fn a_size_limit_holds_for_what_fits_into_one_log_file() {
    let mut opened = Opened::open_with(&MemoryDisk::new(), ROOMY).unwrap();
    for id in 1..=4_000 {
        if id % 100 == 0 {
            opened.partition.retainer().apply(size("*", 600_000), 0);
        }
        let mut sent = event(id);
        sent.payload = (0..400).map(|at| b'a' + ((id * 31 + at * at * 7) % 26) as u8).collect();
        opened.commit(&[sent]).unwrap();
    }
    expire(&mut opened, &size("*", 600_000), 0);
    let stats = opened.reader().storage_stats();
    assert!(stats.segment_bytes + stats.log_bytes <= 600_000, "{stats:?}");
    let left = seqs(&opened);
    assert!(left.len() > 400, "{} events of more than 400 bytes may stay", left.len());
    assert_eq!(check(&mut opened), left[0] - 1);
}

#[test]
fn a_clock_that_ran_ahead_for_one_commit_keeps_nothing_and_dates_nothing_else() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, ROOMY).unwrap();
    one_a_second(&mut opened, 10);
    opened.commit_at(&[event(11)], 1_000_000_000 * SECOND_NS).unwrap();
    drop(opened);
    let mut opened = Opened::open_with(&disk.kill(), ROOMY).unwrap();
    let minute = ages(&[("*", Some(60 * SECOND_NS))]);
    for second in 12..=300 {
        opened.partition.retainer().apply(Arc::clone(&minute), second * SECOND_NS);
        opened.commit_at(&[event(second as u64)], second * SECOND_NS).unwrap();
        let newest = opened.reader().find(&event(second as u64).topic, &second.to_string()).unwrap().unwrap();
        assert_eq!(newest.received_at_ns, second * SECOND_NS);
    }
    at(&mut opened, &minute, 301);
    let left = seqs(&opened);
    assert!(left[0] > 200, "{left:?}");
    check(&mut opened);
}

#[test]
fn a_clock_that_was_behind_for_some_commits_lets_nothing_go_early() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, ROOMY).unwrap();
    let (begin, hour) = (1_000_000, ages(&[("*", Some(3_600 * SECOND_NS))]));
    for id in 1..=300_u64 {
        let second = begin + id as i64;
        if id % 100 == 1 {
            at(&mut opened, &hour, if id == 101 { 0 } else { second });
        }
        let told = if (101..=200).contains(&id) { id as i64 } else { second };
        opened.commit_at(&[event(id)], told * SECOND_NS).unwrap();
    }
    at(&mut opened, &hour, begin + 3_500);
    assert_eq!(seqs(&opened).len(), 300);
    assert_eq!(check(&mut opened), 0);
    at(&mut opened, &hour, begin + 8_000);
    assert_eq!((seqs(&opened).len(), check(&mut opened)), (0, 300));
}
