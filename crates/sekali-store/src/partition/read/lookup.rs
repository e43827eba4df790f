//! Reads events by seq.

use crate::error::Result;
use crate::event::{EventRef, StoredEvent, Unread};
use crate::order::Order;
use crate::partition::data_file::DataFile;
use crate::partition::shared::{Shared, Snapshot};
use crate::segment::TopicChoice;

use super::chunk::{self, Chunk, ReadLimit, ReadRange};

/// The stored event of `topic` with this seq; `None` where there is none, or where it is lost to
/// damage, which is recorded.
pub(crate) fn read_row(shared: &Shared, topic: &str, seq: u64) -> Result<Option<StoredEvent>> {
    let topics = TopicChoice::One(topic);
    let Snapshot { files, .. } = shared.snapshot();
    let Some((file, chunk)) = find(&files, topics, seq) else { return Ok(None) };
    let read = chunk::read(file, &chunk, &only(topics, seq), ReadLimit::ONE, &shared.losses);
    let (mut events, _) = read.map_err(|error| error.while_reading(seq, seq))?;
    Ok(events.take())
}

/// Hands the stored events with these seqs, which ascend, to `visit`, with the times when they were
/// received. Reads each part of a file once. Leaves out seqs without an event, and what is lost to
/// damage, which is recorded.
pub(crate) fn read_rows(shared: &Shared, seqs: &[u64], mut visit: impl FnMut(u64, i64, &EventRef<'_>)) -> Result<()> {
    let Snapshot { files, .. } = shared.snapshot();
    let mut rest = seqs;
    while let [seq, others @ ..] = rest {
        let Some((file, chunk)) = find(&files, TopicChoice::All, *seq) else {
            rest = others;
            continue;
        };
        let (here, later) = rest.split_at(rest.partition_point(|seq| *seq < chunk.end_seq));
        let last_seq = here.last().copied().unwrap_or(*seq);
        chunk::visit_seqs(file, &chunk, here, &shared.losses, &mut visit)
            .map_err(|error| error.while_reading(*seq, last_seq))?;
        rest = later;
    }
    Ok(())
}

/// The part of a file that may hold the event with this seq.
fn find<'a>(files: &'a [DataFile], topics: TopicChoice<'_>, seq: u64) -> Option<(&'a DataFile, Chunk)> {
    let after = files.partition_point(|file| file.first_seq() <= seq);
    let file = files.get(after.checked_sub(1)?)?;
    Some((file, chunk::next_chunk(file, &only(topics, seq))?))
}

fn only(topics: TopicChoice<'_>, seq: u64) -> ReadRange<'_> {
    let (timestamps_ns, order, unread) = (i64::MIN..=i64::MAX, Order::Ascending, Unread::default());
    ReadRange { topics, timestamps_ns, from: seq, to: seq + 1, order, unread, conditions: None, rows: None }
}
