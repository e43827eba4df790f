//! Writes segments for other tools to read. `scripts/interop` checks that they read the same
//! values.
//!
//! `cargo run -p sekali-testkit --example segment_sample -- <directory>`
//!
//! The same formulas are in `crates/sekali-store/tests/interop/check.py`.

use std::path::PathBuf;

use sekali_store::bench_support::SegmentFiles;
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
fn events(seqs: std::ops::Range<u64>) -> impl Iterator<Item = StoredEvent> {
    seqs.filter(|seq| !seq.is_multiple_of(97)).map(event)
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| Error::Invalid("name a directory to write to".to_owned()))?;
    let store = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
    let files = SegmentFiles::create(PathBuf::from(path), &store)?;
    let mut parts = Vec::new();
    for seqs in [1..1 + EVENTS / 3, 1 + EVENTS / 3..1 + EVENTS] {
        let mut writer = files.writer();
        events(seqs).try_for_each(|event| writer.push(event.seq, event.received_at_ns, &event.as_ref()))?;
        parts.push(writer.finish()?);
    }
    files.merge(&parts)?.verify()
}
