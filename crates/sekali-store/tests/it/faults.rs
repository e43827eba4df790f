//! Calls to the disk that fail.

use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_store::{Error, Outcome};

use crate::support::{Opened, Oracle, Random, Sent};

#[test]
fn fail_nth_call() {
    for fault in [Fault::Eio, Fault::Enospc] {
        for number in 0.. {
            println!("{fault:?} at call {number}");
            let disk = MemoryDisk::new();
            disk.fail_call(number, fault);
            let (mut oracle, mut random) = (Oracle::default(), Random(number));
            if let Ok(mut opened) = Opened::open(&disk) {
                let mut stopped = false;
                for _ in 0..8 {
                    let events = random.events();
                    match opened.commit(&events) {
                        Ok(outcomes) => {
                            assert!(!stopped, "a commit after a failed one was acknowledged");
                            oracle.told(&events, &outcomes);
                        }
                        Err(Error::Stopped(_)) => {
                            stopped = true;
                            oracle.not_told(&events);
                        }
                        // The index cannot be written, and refuses to grow in memory: nothing of the commit was stored.
                        Err(Error::Io { .. } | Error::StorageFull { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                assert_eq!(opened.reader().stopped().is_some(), stopped);
            }
            // The process is restarted, or the machine loses power.
            for image in [disk.kill(), disk.power_cut(&mut |bound| random.below(bound))] {
                let mut opened = Opened::open(&image).unwrap();
                oracle.check(&opened);
                oracle.check_resend(&mut opened);
            }
            if number > disk.calls() {
                break;
            }
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
