//! Writes segments for other tools to read. `scripts/interop` checks that they read the same
//! values.
//!
//! `cargo run -p sekali-testkit --example segment_sample -- <directory>`
//!
//! The same formulas are in `crates/sekali-store/tests/interop/check.py`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sekali_store::bench_support::SegmentFiles;
use sekali_store::{Error, HashKey, Member, Result, StoreMeta, StoredEvent};
use serde_json::value::RawValue;

const EVENTS: u64 = 300_000;
const TOPICS: [&str; 4] = ["orders", "überweisungen", "$conflicts", "日本"];

/// Members that tools read in different ways, if at all: of one in ten events, one after the other.
const HOSTILE: [&str; 10] = [
    r#""status":404"#,
    r#""status":"404""#,
    r#""status":4.04e2"#,
    r#""huge":123456789012345678901234567890,"tiny":1e-400"#,
    r#""half":"\ud800","pair":"\ud83d\ude00","zero":"\u0000""#,
    r#""a.b":1,"a":{"b":2,"":3},"$.n":4"#,
    r#""repeated":1,"repeated":2"#,
    r#""list":[[],{},[null,true]],"null":null,"minus":-0.0"#,
    r#""spaces" :   1 , "quote\"":"'" "#,
    r#""ünï":"\u00fc","日本":"=1+1""#,
];

/// The members of a payload, as its text has them.
fn members(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool {
    let Ok(members) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(payload) else { return false };
    for (name, value) in &members {
        visit(match value.get().as_bytes() {
            [b'{' | b'[', ..] => Member::Inner { path: name.as_bytes() },
            text => Member::Text { path: name.as_bytes(), text },
        });
    }
    true
}

fn event(seq: u64) -> StoredEvent {
    let hostile = HOSTILE[(seq / 10 % 10) as usize];
    let hostile = if seq % 10 == 3 { format!(",{hostile}") } else { String::new() };
    let filler = if seq.is_multiple_of(1000) { 100_000 } else { (seq % 50) as usize };
    StoredEvent {
        seq,
        received_at_ns: 1_760_000_000_000_000_001 + (seq / 100) as i64,
        topic: TOPICS[(seq % 4) as usize].to_owned(),
        event_id: format!("id-{seq:06}"),
        // Half of them before 1970.
        timestamp_ns: (seq as i64 - EVENTS as i64 / 2) * 1_000_000_007,
        source: if seq.is_multiple_of(5) { String::new() } else { format!("host-{}", seq % 13) },
        payload: format!(r#"{{"n":{seq},"kind":{},"text":"{}"{hostile}}}"#, seq % 7, "x".repeat(filler)).into_bytes(),
    }
}

/// Events with gaps, as damage leaves them.
fn events(seqs: std::ops::Range<u64>) -> impl Iterator<Item = StoredEvent> {
    seqs.filter(|seq| !seq.is_multiple_of(97)).map(event)
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| Error::Invalid("name a directory to write to".to_owned()))?;
    let store = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
    let files = SegmentFiles::create(PathBuf::from(path), &store)?.with_members(members);
    let mut parts = Vec::new();
    for seqs in [1..1 + EVENTS / 3, 1 + EVENTS / 3..1 + EVENTS] {
        let mut writer = files.writer();
        events(seqs).try_for_each(|event| writer.push(event.seq, event.received_at_ns, &event.as_ref()))?;
        parts.push(writer.finish()?);
    }
    files.merge(&parts)?.verify()
}
