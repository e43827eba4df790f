//! A partition that is one of several replicas: damage stops it, since outcomes must not depend on
//! the disk of one.

use std::path::Path;

use sekali_store::disk::Disk as _;
use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Error, OnDamage, Outcome, Result, Scan, Tuning};

use crate::bit_rot::{event, filled};
use crate::support::{BUSY, DIR, LOG_ONLY, Opened, Sent, collect, files, options};

fn open(disk: &MemoryDisk, tuning: Tuning) -> Result<Opened> {
    let store = options(disk).tuning(tuning).on_damage(OnDamage::Stop).open(Path::new(DIR))?;
    let hasher = store.hasher();
    Ok(Opened { partition: store.into_partitions().pop().expect("one partition"), hasher })
}

/// The same JSON in other bytes: it must be compared with the stored event.
fn respelled(id: u64) -> Sent {
    let mut sent = event(id);
    sent.payload.push(b' ');
    sent
}

#[test]
fn a_replica_stops_at_an_event_that_it_cannot_read_and_decides_nothing_without_it() {
    for (tuning, ending) in [(LOG_ONLY, "log"), (BUSY, "parquet")] {
        let disk = filled(tuning);
        let mut opened = open(&disk, tuning).unwrap();
        assert_eq!(opened.commit(&[respelled(1)]).unwrap(), [Outcome::Duplicate { seq: 2 }]);
        let path = files(&disk, ending).remove(0);
        // The first event, or the first row group.
        assert!(disk.corrupt(&path, |bytes| bytes[300] ^= 1));
        let refused = opened.commit(&[respelled(0)]).unwrap_err();
        assert!(
            matches!(&refused, Error::Stopped(why) if why.contains("lost") && why.contains("replace")),
            "{refused}"
        );
        assert!(opened.reader().stopped().is_some());
        assert!(matches!(opened.commit(&[event(500)]), Err(Error::Stopped(_))));
        let shown = opened.partition.verify(|_| {}).unwrap();
        assert!(matches!(opened.partition.accept_damage(&shown), Err(Error::Invalid(_))));
        drop(opened);
        // Nothing was written down: once the disk is well, it goes on.
        assert!(disk.corrupt(&path, |bytes| bytes[300] ^= 1));
        let mut opened = open(&disk, tuning).unwrap();
        assert_eq!(opened.commit(&[respelled(0)]).unwrap(), [Outcome::Duplicate { seq: 1 }]);
    }
}

#[test]
fn a_replica_that_has_lost_events_does_not_open_and_a_single_node_does() {
    for (tuning, ending) in [(LOG_ONLY, "log"), (BUSY, "parquet")] {
        let disk = filled(tuning);
        let path = files(&disk, ending).remove(0);
        if ending == "log" {
            assert!(disk.corrupt(&path, |bytes| bytes[300] ^= 1));
        } else {
            disk.remove(&path).unwrap();
        }
        for _ in 0..2 {
            let refused = open(&disk, tuning).err().expect("events are lost");
            assert!(matches!(&refused, Error::Stopped(why) if why.contains("seq")), "{refused}");
        }
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        assert!(collect(&opened.reader(), Scan::default()).len() < 200);
        opened.accept_damage();
        drop(opened);
        assert!(matches!(open(&disk, tuning), Err(Error::Stopped(_))), "accepted or not");
    }
}
