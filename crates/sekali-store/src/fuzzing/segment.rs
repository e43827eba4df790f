//! Segments.

use std::path::PathBuf;
use std::sync::Arc;

use super::STORE;
use crate::disk::Disk as _;
use crate::disk::memory::MemoryDisk;
use crate::salt::Salt;
use crate::segment::{RowQuery, Segment, SegmentDir, TopicChoice, probe};

/// A segment file: opened, verified and read. Then the same bytes without their end as each thing
/// in it that is under a checksum of its own. What Parquet is given is never mended: the checksums
/// of columns are keyed, so that nothing gets there but what the engine wrote.
pub fn segment(bytes: &[u8]) {
    read(bytes);
    let salt = Salt::new(&STORE, 0);
    probe::decode(bytes, salt);
    probe::decode(bytes.get(..bytes.len().saturating_sub(8)).unwrap_or_default(), salt);
}

fn read(bytes: &[u8]) {
    let (disk, place) = (MemoryDisk::new(), PathBuf::from("/segments"));
    let dir = SegmentDir::new(Arc::new(disk.clone()), place.clone(), &STORE, 0);
    let path = dir.path(1, 2);
    let written = disk.create_dir_all(&place).and_then(|()| disk.create(&path));
    assert!(written.is_ok_and(|file| file.write_all_at(bytes, 0).is_ok()), "a disk in memory fails");
    let Ok(segment) = Segment::open(&dir, &path) else { return };
    let is_sound = segment.verify().is_ok();
    let mut rows = 0;
    for group in 0..segment.row_groups().len() {
        let Ok(events) = segment.read(group, &RowQuery::default()) else {
            assert!(!is_sound, "a sound row group cannot be read");
            continue;
        };
        rows += events.len() as u64;
        assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq), "events are out of order");
        for event in events {
            let wanted = RowQuery {
                topics: TopicChoice::One(&event.topic),
                seqs: event.seq..event.seq + 1,
                ..RowQuery::default()
            };
            let found = segment.read(group, &wanted);
            assert!(found.is_ok_and(|found| found == [event]), "an event that is read is not found");
        }
    }
    assert!(!is_sound || rows == segment.info().rows, "a segment and its row groups disagree");
}
