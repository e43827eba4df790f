//! A part of a data file that is read at once: an extent of a log file, or a row group of a
//! segment.

use std::ops::RangeInclusive;

use super::event_batch::EventBatch;
use super::log_events::LogEvents;
use crate::damage::{Damage, SeqSet};
use crate::error::{Error, Result};
use crate::event::{EventRef, Unread};
use crate::invariant::invariant;
use crate::log::block_index::{BlockIndex, ExtentSpan};
use crate::order::Order;
use crate::partition::data_file::DataFile;
use crate::partition::losses::Losses;
use crate::rules::PayloadConditions;
use crate::segment::{
    ColumnRows, ColumnsWanted, DecodedEvents, GroupCheck, RowGroup, RowQuery, RowSet, Segment, TopicChoice,
};

/// Seqs of a part that are read together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    pub(crate) first_seq: u64,
    /// The first seq behind it.
    pub(crate) end_seq: u64,
    source: ChunkSource,
}

#[derive(Debug, Clone, Copy)]
enum ChunkSource {
    Extent(ExtentSpan),
    RowGroup(usize),
}

/// The rest of a read: seqs from `from`, up to but not including `to`.
#[derive(Debug, Clone)]
pub(crate) struct ReadRange<'a> {
    pub(crate) topics: TopicChoice<'a>,
    /// A hint, heeded by segments.
    pub(crate) timestamps_ns: RangeInclusive<i64>,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) order: Order,
    /// Columns that segments need not read.
    pub(crate) unread: Unread,
    /// Conditions on payloads: a hint, heeded by segments.
    pub(crate) conditions: Option<&'a dyn PayloadConditions>,
    /// Of a row group only these rows.
    pub(crate) rows: Option<&'a RowSet>,
}

impl ReadRange<'_> {
    /// All events from `seq` on.
    pub(crate) fn everything_from(seq: u64) -> Self {
        let timestamps_ns = i64::MIN..=i64::MAX;
        let (topics, order, unread) = (TopicChoice::All, Order::Ascending, Unread::default());
        Self { topics, timestamps_ns, from: seq, to: u64::MAX, order, unread, conditions: None, rows: None }
    }
}

/// Checks every byte of a chunk, and answers how many there are. What is damaged is reported.
pub(crate) fn check(file: &DataFile, chunk: &Chunk, losses: &Losses) -> Result<u64> {
    match (file, chunk.source) {
        (DataFile::Segment(segment), ChunkSource::RowGroup(number)) => match segment.verify_group(number) {
            Err(Error::Damaged { path, .. }) => {
                losses.record(&[Damage { path, offset: 0, first_seq: chunk.first_seq, last_seq: chunk.end_seq - 1 }]);
                Ok(0)
            }
            checked => {
                let GroupCheck { bytes, flaw } = checked?;
                flaw.iter().for_each(|flaw| losses.known.report_flaw(flaw.describe()));
                Ok(bytes)
            }
        },
        (DataFile::Log(file), ChunkSource::Extent(span)) => {
            let mut found = Vec::new();
            file.read_extent(span, &SeqSet::default(), &mut found, |_, _, _| {})?;
            losses.record(&found);
            Ok(span.end - span.offset)
        }
        _ => invariant!("a chunk is of another file"),
    }
}

/// The next chunk, in the order of `range`, that may hold something of it.
pub(crate) fn next_chunk(file: &DataFile, range: &ReadRange<'_>) -> Option<Chunk> {
    match file {
        DataFile::Segment(segment) => next_row_group(segment, range),
        DataFile::Log(file) => {
            let span = next_extent(&file.block_index(), range)?;
            Some(Chunk { first_seq: span.first_seq, end_seq: span.end_seq, source: ChunkSource::Extent(span) })
        }
    }
}

/// How much to take from a segment at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadLimit {
    /// Most events.
    pub(super) events: usize,
    /// About how many bytes, as long as it is more than one event.
    pub(super) bytes: usize,
    /// Bytes of an event, as far as reads before this one tell.
    pub(super) event_bytes: usize,
}

impl ReadLimit {
    /// One event, however large.
    pub(super) const ONE: Self = Self { events: 1, bytes: usize::MAX, event_bytes: 0 };

    /// The number of events to take from a row group whose events have so many bytes on average.
    /// Those wanted may be larger: they are if those before were.
    fn events_of(self, average: usize) -> usize {
        self.events.min(self.bytes / average.max(self.event_bytes).max(1)).max(1)
    }
}

/// Reads what is needed of a chunk, in the order of `range`; of a segment no more than `limit`.
/// Answers the last seq if that cut it short. What is damaged is reported and left out.
pub(super) fn read(
    file: &DataFile,
    chunk: &Chunk,
    range: &ReadRange<'_>,
    limit: ReadLimit,
    losses: &Losses,
) -> Result<(EventBatch, Option<u64>)> {
    match (file, chunk.source) {
        (DataFile::Segment(segment), ChunkSource::RowGroup(number)) => {
            let average = segment.row_groups().get(number).and_then(|group| group.bytes.checked_div(group.rows));
            let limit = limit.events_of(average.unwrap_or_default() as usize);
            let wanted = RowQuery {
                topics: range.topics,
                seqs: range.from..range.to,
                timestamps_ns: range.timestamps_ns.clone(),
                limit,
                order: range.order,
                unread: range.unread,
                conditions: range.conditions,
                rows: range.rows,
                ..RowQuery::default()
            };
            let decoded = read_row_group(segment, number, &wanted, losses)?;
            let cut = decoded.last_seq().filter(|_| decoded.len() == limit);
            let hidden = losses.known.hidden(chunk.first_seq..=chunk.end_seq.saturating_sub(1));
            Ok((EventBatch::columns(decoded, hidden), cut))
        }
        (DataFile::Log(file), ChunkSource::Extent(span)) => {
            let hidden = losses.known.hidden(span.first_seq..=span.end_seq.saturating_sub(1));
            let (mut events, mut found) = (LogEvents::default(), Vec::new());
            file.read_extent(span, &hidden, &mut found, |seq, received_at_ns, event| {
                if (range.from..range.to).contains(&seq) && range.topics.include(event.topic) {
                    events.push(seq, received_at_ns, &event);
                }
            })?;
            losses.record(&found);
            events.order(range.order);
            Ok((EventBatch::Rows(events), None))
        }
        _ => invariant!("a chunk is of another file"),
    }
}

/// The wanted columns of a row group, all of which is wanted, and the rows of it that have to be
/// read as events. `None` for any other chunk, and where columns cannot tell.
pub(super) fn read_columns(
    file: &DataFile,
    chunk: &Chunk,
    range: &ReadRange<'_>,
    columns: &ColumnsWanted,
    losses: &Losses,
) -> Result<Option<(ColumnRows, RowSet)>> {
    let (DataFile::Segment(segment), ChunkSource::RowGroup(number)) = (file, chunk.source) else { return Ok(None) };
    let is_whole = range.from <= chunk.first_seq && chunk.end_seq <= range.to;
    if !is_whole || !losses.known.hidden(chunk.first_seq..=chunk.end_seq.saturating_sub(1)).is_empty() {
        return Ok(None);
    }
    let (topics, timestamps_ns, conditions) = (range.topics, range.timestamps_ns.clone(), range.conditions);
    let wanted = RowQuery { topics, timestamps_ns, conditions, ..RowQuery::default() };
    let found = segment.column_rows(number, &wanted, columns);
    note_flaw(segment, number, losses);
    match found {
        // The events of it are read next, and report it.
        Err(Error::Damaged { .. }) => Ok(None),
        found => found,
    }
}

/// Hands the events of a chunk with these seqs, which ascend, to `visit`. What is damaged is
/// reported and left out.
pub(crate) fn visit_seqs(
    file: &DataFile,
    chunk: &Chunk,
    seqs: &[u64],
    losses: &Losses,
    mut visit: impl FnMut(u64, i64, &EventRef<'_>),
) -> Result<()> {
    let hidden = losses.known.hidden(chunk.first_seq..=chunk.end_seq.saturating_sub(1));
    match (file, chunk.source) {
        (DataFile::Segment(segment), ChunkSource::RowGroup(number)) => {
            let wanted = RowQuery { seqs: chunk.first_seq..chunk.end_seq, only: Some(seqs), ..RowQuery::default() };
            let decoded = read_row_group(segment, number, &wanted, losses)?;
            let shown = decoded.iter().filter(|(seq, ..)| !hidden.contains(*seq));
            shown.for_each(|(seq, received_at_ns, event)| visit(seq, received_at_ns, &event));
            Ok(())
        }
        (DataFile::Log(file), ChunkSource::Extent(span)) => {
            let mut found = Vec::new();
            file.read_extent(span, &hidden, &mut found, |seq, received_at_ns, event| {
                if seqs.binary_search(&seq).is_ok() {
                    visit(seq, received_at_ns, &event);
                }
            })?;
            losses.record(&found);
            Ok(())
        }
        _ => invariant!("a chunk is of another file"),
    }
}

/// Hands every event of a chunk to `visit`, with its seq, hidden ones too. What is damaged is left
/// out and not reported.
pub(crate) fn visit_all(file: &DataFile, chunk: &Chunk, mut visit: impl FnMut(u64, &EventRef<'_>)) -> Result<()> {
    match (file, chunk.source) {
        (DataFile::Segment(segment), ChunkSource::RowGroup(number)) => {
            match segment.visit(number, &RowQuery::default(), |seq, _, event| visit(seq, &event)) {
                Err(Error::Damaged { .. }) => Ok(()),
                visited => visited.map(drop),
            }
        }
        (DataFile::Log(file), ChunkSource::Extent(span)) => {
            file.read_extent(span, &SeqSet::default(), &mut Vec::new(), |seq, _, event| visit(seq, &event))
        }
        _ => invariant!("a chunk is of another file"),
    }
}

/// A row group of which anything is damaged counts as lost as a whole: its events are published
/// again, and what is still readable of it must not then appear beside them.
fn read_row_group(segment: &Segment, number: usize, wanted: &RowQuery<'_>, losses: &Losses) -> Result<DecodedEvents> {
    let nothing = Ok(DecodedEvents::default());
    let Some(&RowGroup { first_seq, last_seq, .. }) = segment.row_groups().get(number) else {
        invariant!("a row group that was to be read is gone")
    };
    if losses.known.covers_all(first_seq..=last_seq) {
        return nothing;
    }
    let decoded = segment.decode(number, wanted);
    note_flaw(segment, number, losses);
    match decoded {
        Err(Error::Damaged { path, .. }) => {
            losses.record(&[Damage { path, offset: 0, first_seq, last_seq }]);
            nothing
        }
        decoded => decoded,
    }
}

/// Names what was found to be damaged of the parts of a row group.
fn note_flaw(segment: &Segment, number: usize, losses: &Losses) {
    if let Some(flaw) = segment.flaw(number) {
        losses.known.report_flaw(flaw.describe());
    }
}

fn next_row_group(segment: &Segment, range: &ReadRange<'_>) -> Option<Chunk> {
    let groups = segment.row_groups();
    let chunk = |number: usize| {
        let group = groups.get(number)?;
        let holds = !matches!(range.topics, TopicChoice::One(topic) if !segment.has_topic(number, topic));
        let wanted = holds && group.first_seq < range.to && group.last_seq >= range.from;
        let (first_seq, end_seq) = (group.first_seq, group.last_seq + 1);
        wanted.then_some(Chunk { first_seq, end_seq, source: ChunkSource::RowGroup(number) })
    };
    match range.order {
        Order::Ascending => (groups.partition_point(|group| group.last_seq < range.from)..groups.len()).find_map(chunk),
        Order::Descending => (0..groups.partition_point(|group| group.first_seq < range.to)).rev().find_map(chunk),
    }
}

fn next_extent(block_index: &BlockIndex, range: &ReadRange<'_>) -> Option<ExtentSpan> {
    let wanted = |number: u32| {
        let span = block_index.extent(number)?;
        (span.first_seq < range.to && span.end_seq > range.from).then_some(span)
    };
    let known;
    let numbers = match range.topics {
        TopicChoice::One(topic) => {
            known = block_index.topics.extents(topic)?;
            ExtentNumbers::Some(&known)
        }
        TopicChoice::All | TopicChoice::Unreserved => ExtentNumbers::All(block_index.extents.len()),
    };
    let first_seq = |number: u32| block_index.extent(number).map_or(u64::MAX, |span| span.first_seq);
    match range.order {
        // The extent before may reach into what is wanted.
        Order::Ascending => {
            let after = numbers.partition_point(|number| first_seq(number) <= range.from);
            (after.saturating_sub(1)..numbers.len()).find_map(|at| wanted(numbers.get(at)?))
        }
        Order::Descending => {
            let after = numbers.partition_point(|number| first_seq(number) < range.to);
            wanted(numbers.get(after.checked_sub(1)?)?)
        }
    }
}

/// Ascending numbers of extents.
#[derive(Clone, Copy)]
enum ExtentNumbers<'a> {
    All(usize),
    Some(&'a [u32]),
}

impl ExtentNumbers<'_> {
    fn len(self) -> usize {
        match self {
            Self::All(len) => len,
            Self::Some(numbers) => numbers.len(),
        }
    }

    fn get(self, at: usize) -> Option<u32> {
        match self {
            Self::All(len) => (at < len).then_some(at as u32),
            Self::Some(numbers) => numbers.get(at).copied(),
        }
    }

    /// How many of them, at the front, have `wanted`.
    fn partition_point(self, wanted: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(&wanted) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_large_events_a_read_takes_few_at_a_time() {
        const MIB: usize = 1024 * 1024;
        let limit = ReadLimit { events: 32_768, bytes: 8 * MIB, event_bytes: 0 };
        assert_eq!(limit.events_of(100), 32_768, "of small ones all that it may");
        assert_eq!(limit.events_of(1_024), 8_192);
        assert_eq!(limit.events_of(MIB), 8);
        let seen_large = ReadLimit { event_bytes: MIB, ..limit };
        assert_eq!(seen_large.events_of(1_024), 8, "those before were larger than the average");
        let none = ReadLimit { bytes: 1, ..limit };
        assert_eq!((none.events_of(MIB), none.events_of(0)), (1, 1), "one at least");
        assert_eq!(ReadLimit::ONE.events_of(MIB), 1);
    }
}
