//! Reads single events by seq.

use crate::error::Result;
use crate::event::StoredEvent;
use crate::order::Order;
use crate::partition::shared::{Shared, Snapshot};
use crate::segment::TopicChoice;

use super::chunk::{self, ReadRange};

/// The stored event of `topic` with this seq; `None` where there is none, or where it is lost to
/// damage, which is recorded.
pub(crate) fn read_row(shared: &Shared, topic: &str, seq: u64) -> Result<Option<StoredEvent>> {
    read_one(shared, TopicChoice::One(topic), seq)
}

/// Whether the event that had this seq has expired.
pub(crate) fn has_expired(shared: &Shared, seq: u64) -> Result<bool> {
    if seq > shared.expired().last_seq {
        return Ok(false);
    }
    let is_there = read_one(shared, TopicChoice::All, seq)?.is_some();
    // An event that the read found to be lost has not expired.
    Ok(!is_there && !shared.losses.known.covers(seq))
}

fn read_one(shared: &Shared, topics: TopicChoice<'_>, seq: u64) -> Result<Option<StoredEvent>> {
    let Snapshot { files, .. } = shared.snapshot();
    let timestamps_ns = i64::MIN..=i64::MAX;
    let range = ReadRange { topics, timestamps_ns, from: seq, to: seq + 1, order: Order::Ascending };
    let after = files.partition_point(|file| file.first_seq() <= seq);
    let Some(file) = after.checked_sub(1).and_then(|at| files.get(at)) else { return Ok(None) };
    let Some(chunk) = chunk::next_chunk(file, &range) else { return Ok(None) };
    let (mut events, _) = chunk::read(file, &chunk, &range, 1, &shared.losses)?;
    Ok(events.next())
}
