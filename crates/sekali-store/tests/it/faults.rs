//! Failing calls to the disk.

use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_store::{Error, Outcome};
use sekali_testkit::Trial;

use crate::crashes::promises_kept;
use crate::life::live;
use crate::support::{Opened, Oracle, Random, Sent};

const STEPS: u64 = 9;

/// Lives with one failing call. Returns the client's journal.
fn live_with(disk: &MemoryDisk, seed: u64) -> Oracle {
    let mut oracle = Oracle::default();
    live(disk, seed, STEPS, |events, outcomes| match outcomes {
        Ok(outcomes) => oracle.told(events, &outcomes),
        Err(Error::Stopped(_)) => oracle.not_told(events),
        // Refused before any write: there is no space, or the index cannot be flushed and refuses
        // to grow in memory.
        Err(Error::Io { .. } | Error::StorageFull { .. }) => {}
        Err(error) => panic!("{error}"),
    });
    oracle
}

#[test]
fn fail_nth_call() {
    // A cycle is a life, with every call failing in every way.
    let mut trial = Trial::begin("fail_nth_call", 2);
    let (mut faults, mut acked) = (0_u64, 0);
    while let Some(cycle) = trial.next_cycle() {
        let seed = trial.seed() + cycle;
        let calls = {
            let disk = MemoryDisk::new();
            live(&disk, seed, STEPS, |_, _| {});
            disk.calls()
        };
        for (fault, number) in Fault::ALL.into_iter().flat_map(|fault| (0..calls).map(move |number| (fault, number))) {
            println!("life {seed}: {fault:?} at call {number}");
            let disk = MemoryDisk::new();
            disk.fail_call(number, fault);
            let (oracle, mut random) = (live_with(&disk, seed), Random(number));
            // The process is restarted, or the machine loses power.
            for image in [disk.kill(), disk.power_cut(&mut |bound| random.below(bound))] {
                let mut opened = Opened::open(&image).expect("one failure never keeps a store from opening");
                oracle.check(&opened);
                oracle.check_resend(&mut opened);
            }
            faults += 1;
            acked += oracle.acked();
        }
    }
    trial.note("faults", faults);
    trial.note("acked", acked);
    promises_kept(&mut trial);
    trial.end();
}

#[test]
fn after_a_failed_write_or_sync_nothing_more_is_acknowledged() {
    for fault in Fault::ALL {
        for call in 0..12 {
            let disk = MemoryDisk::new();
            let mut opened = Opened::open(&disk).unwrap();
            disk.fail_call(disk.calls() + call, fault);
            let mut stopped = false;
            for id in 0..8 {
                match opened.commit(&[Sent::new("t", id, "p")]) {
                    Ok(_) => assert!(!stopped, "{fault:?} at call {call}: acknowledged after a failure"),
                    Err(Error::Stopped(_)) => stopped = true,
                    Err(error) => assert!(!stopped && error.is_full(), "{fault:?} at call {call}: {error}"),
                }
            }
            assert_eq!(opened.reader().stopped().is_some(), stopped);
        }
    }
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    // A commit is a write, then a sync.
    disk.fail_call(disk.calls() + 1, Fault::Eio);
    let events = [Sent::new("t", 1, "p")];
    assert!(matches!(opened.commit(&events), Err(Error::Stopped(_))));
    assert!(matches!(opened.commit(&events), Err(Error::Stopped(_))), "the key must not be taken for known");
    assert_eq!(opened.reader().find("t", "1").unwrap(), None, "readers see only what is durable");
    drop(opened);
    let mut opened = Opened::open(&disk.power_cut(&mut |_| 1)).unwrap();
    assert_eq!(opened.commit(&events).unwrap(), [Outcome::Stored { seq: 1 }]);
}

#[test]
fn a_full_disk_refuses_before_it_writes_and_recovers_by_itself() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let (first, second) = ([Sent::new("t", 1, "p")], [Sent::new("t", 2, "p")]);
    opened.commit(&first).unwrap();
    disk.set_full(true);
    let calls = disk.calls();
    assert!(matches!(opened.commit(&second), Err(Error::StorageFull { .. })));
    assert_eq!(disk.calls(), calls, "the disk was touched");
    assert!(opened.reader().find("t", "1").unwrap().is_some());
    disk.set_full(false);
    assert_eq!(opened.commit(&second).unwrap(), [Outcome::Stored { seq: 2 }]);
}

#[test]
fn a_second_process_is_refused() {
    let disk = MemoryDisk::new();
    let opened = Opened::open(&disk).unwrap();
    assert!(matches!(Opened::open(&disk), Err(Error::Locked(_))));
    drop(opened);
    Opened::open(&disk).unwrap();
}
