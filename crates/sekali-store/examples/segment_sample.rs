//! Writes segments for other tools to read. `scripts/interop` checks that they read the same
//! values.
//!
//! `cargo run -p sekali-store --example segment_sample -- <directory>`
//!
//! The same formulas are in `tests/interop/check.py`.

use std::path::PathBuf;
use std::sync::Arc;

use sekali_store::disk::{Disk, RealDisk};
use sekali_store::segment::{Segment, SegmentDir, merge, write};
use sekali_store::{Error, HashKey, Result, StoreMeta, StoredEvent};

const EVENTS: u64 = 300_000;
const TOPICS: [&str; 4] = ["orders", "überweisungen", "$conflicts", "日本"];

fn event(seq: u64) -> StoredEvent {
    let filler = if seq.is_multiple_of(1000) { 100_000 } else { (seq % 50) as usize };
    StoredEvent {
        seq,
        received_at_ns: 1_760_000_000_000_000_001 + (seq / 100) as i64,
        topic: TOPICS[(seq % 4) as usize].to_owned(),
        event_id: format!("id-{seq:06}"),
        // Half of them before 1970.
        timestamp_ns: (seq as i64 - EVENTS as i64 / 2) * 1_000_000_007,
        source: if seq.is_multiple_of(5) { String::new() } else { format!("host-{}", seq % 13) },
        payload: format!(r#"{{"n":{seq},"text":"{}"}}"#, "x".repeat(filler)).into_bytes(),
    }
}

/// Events with gaps, as damage leaves them.
fn events(seqs: std::ops::Range<u64>) -> impl Iterator<Item = Result<StoredEvent>> {
    seqs.filter(|seq| !seq.is_multiple_of(97)).map(|seq| Ok(event(seq)))
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| Error::Invalid("name a directory to write to".to_owned()))?;
    let path = PathBuf::from(path);
    RealDisk.create_dir_all(&path).map_err(|error| Error::Invalid(error.to_string()))?;
    let store = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
    let dir = SegmentDir::new(Arc::new(RealDisk), path, &store, 0);
    let mut parts = Vec::new();
    for seqs in [1..1 + EVENTS / 3, 1 + EVENTS / 3..1 + EVENTS] {
        if let Some(info) = write(&dir, events(seqs))? {
            parts.push(Arc::new(Segment::open(&dir, &info.path)?));
        }
    }
    let merged = merge(&dir, &parts)?;
    Segment::open(&dir, &merged.path)?.verify()
}
