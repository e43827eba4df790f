//! Power cuts and failures before every call to the disk while events expire.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Outcome, Scan};

use super::{Opened, Sent, ages, check, collect, event, expire};
use crate::support::{BUSY, Random};

const EVENTS: u64 = 90;

/// Fills a store; then a topic expires, then everything.
fn workload(disk: &MemoryDisk) {
    let Ok(mut opened) = Opened::open_with(disk, BUSY) else { return };
    for first in (1..=EVENTS).step_by(5) {
        let batch = opened.batch(&(first..first + 5).map(event).collect::<Vec<Sent>>());
        if opened.partition.commit(&[batch], first as i64, None).is_err() {
            return;
        }
    }
    for retention in [ages(&[("debug.*", Some(20))]), ages(&[("*", Some(20))])] {
        opened.partition.retainer().apply(retention, EVENTS as i64);
        let _ = opened.commit(&[]);
    }
}

/// Checks a store, wherever it was interrupted: events are lost only by age, and none is stored
/// again.
fn judge(image: &MemoryDisk) {
    let mut opened = Opened::open_with(image, BUSY).unwrap();
    assert_eq!(opened.reader().damage(), []);
    check(&mut opened);
    let next = opened.reader().last_seq() + 1;
    let outcomes = opened.commit(&(1..next).map(event).collect::<Vec<_>>()).unwrap();
    assert!(outcomes.iter().zip(1..).all(|(outcome, seq)| *outcome == Outcome::Duplicate { seq }), "{outcomes:?}");
    let young = collect(&opened.reader(), Scan::default()).into_iter().filter(|event| event.seq > 70).count() as u64;
    assert_eq!(young, next.saturating_sub(71), "what is not old enough stays");
    expire(&mut opened, &ages(&[("*", Some(20))]), EVENTS as i64);
    check(&mut opened);
}

#[test]
fn a_power_cut_leaves_events_or_their_expiry_but_nothing_between() {
    let trial = MemoryDisk::new();
    workload(&trial);
    // Before that, no event expires.
    let quiet = {
        let disk = MemoryDisk::new();
        let (mut opened, mut calls) = (Opened::open_with(&disk, BUSY).unwrap(), 0);
        for first in (1..=EVENTS).step_by(5) {
            let batch = opened.batch(&(first..first + 5).map(event).collect::<Vec<Sent>>());
            opened.partition.commit(&[batch], first as i64, None).unwrap();
            calls = disk.calls();
        }
        calls
    };
    assert!(trial.calls() > quiet + 30, "something expires");
    for cut_at in quiet..trial.calls() {
        println!("cut before call {cut_at}");
        let disk = MemoryDisk::new();
        disk.capture_before(cut_at);
        workload(&disk);
        let (before, mut random) = (disk.captured().expect("the call was made"), Random(cut_at));
        for _ in 0..4 {
            judge(&before.power_cut(&mut |bound| random.below(bound)));
        }
    }
}
