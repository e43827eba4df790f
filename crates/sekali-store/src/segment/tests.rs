//! Segments against the plain vector of their events.

mod counting;
mod damage;
mod merging;
mod reading;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::dir::{PartRules, SegmentShape};
use super::{Segment, SegmentDir, SegmentInfo, SegmentWriter};
use crate::disk::memory::MemoryDisk;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::hash::HashKey;
use crate::meta::StoreMeta;
use crate::rules::{Member, Piece};

/// Writes the events, which come in ascending order of seq, as one segment of `dir`. `None` where
/// there are no events.
fn write(dir: &SegmentDir, events: impl IntoIterator<Item = Result<StoredEvent>>) -> Result<Option<SegmentInfo>> {
    let mut writer = SegmentWriter::new(dir);
    for event in events {
        let event = event?;
        writer.push(event.seq, event.received_at_ns, &event.as_ref())?;
    }
    writer.finish()
}

const DIR: &str = "/segments";
const STORE: StoreMeta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([3; 32]), partitions: 1 };
/// Small enough for many row groups and pages.
const SMALL: SegmentShape = SegmentShape { group_rows: 40, group_bytes: 1 << 20, page_rows: 7 };

/// A directory of segments on a disk in memory.
fn empty(shape: SegmentShape) -> (MemoryDisk, SegmentDir) {
    let disk = MemoryDisk::new();
    crate::disk::Disk::create_dir_all(&disk, Path::new(DIR)).unwrap();
    let dir = SegmentDir { shape, ..SegmentDir::new(Arc::new(disk.clone()), DIR.into(), &STORE, 0) };
    (disk, dir.with_parts(Some(PartRules { members, texts: Some(texts) })))
}

/// One member: whether the length of a payload can be divided by three.
fn members(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool {
    visit(Member::Text { path: b"length", text: if payload.len().is_multiple_of(3) { b"yes" } else { b"no" } });
    visit(Member::Rest { part: payload });
    true
}

/// One text: the payload.
fn texts(part: &[u8], visit: &mut dyn FnMut(Piece<'_>)) -> bool {
    visit(Piece { text: part, number: None });
    true
}

/// Writes events as a segment.
fn seal(dir: &SegmentDir, events: &[StoredEvent]) -> PathBuf {
    write(dir, events.iter().cloned().map(Ok)).unwrap().expect("events").path
}

fn open(dir: &SegmentDir, path: &Path) -> Segment {
    Segment::open(dir, path).unwrap()
}

/// Everything in a segment, in order of seq.
fn all(segment: &Segment) -> Vec<StoredEvent> {
    let groups = 0..segment.row_groups().len();
    groups.flat_map(|group| segment.read(group, &super::RowQuery::default()).unwrap()).collect()
}

/// An ordinary event.
fn event(seq: u64, topic: &str) -> StoredEvent {
    StoredEvent {
        seq,
        received_at_ns: seq as i64 / 10,
        topic: topic.to_owned(),
        event_id: format!("id-{seq}"),
        timestamp_ns: seq as i64 * 1000,
        source: "test".to_owned(),
        payload: format!(r#"{{"n":{seq}}}"#).into_bytes(),
    }
}

/// Up to `most` events of a few topics, with gaps between their seqs.
fn events(most: usize) -> impl Strategy<Value = Vec<StoredEvent>> {
    let topic = prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c", "$conflicts", "zz"]).prop_map(str::to_owned),
        1 => "\\PC{1,12}",
    ];
    let text = prop_oneof![Just(String::new()), Just("sensor".to_owned()), "\\PC{0,30}"];
    let payload = prop_oneof![
        20 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(any::<u8>(), 0..40_000),
    ];
    let one = (1..4_u64, any::<i64>(), topic, "\\PC{1,20}", any::<i64>(), text, payload);
    prop::collection::vec(one, 1..most).prop_map(|rows| {
        let mut last = 0;
        let number = |(step, received_at_ns, topic, event_id, timestamp_ns, source, payload)| {
            last += step;
            StoredEvent { seq: last, received_at_ns, topic, event_id, timestamp_ns, source, payload }
        };
        rows.into_iter().map(number).collect()
    })
}
