//! Several partitions read as one: by the time of the commit, then by partition, then by seq.

use sekali_store::{Ahead, ColumnRows, EventView, Order, Reader, Result, Scan, Scanner, is_reserved, partition_of};

use super::reader_view::ReaderView;
use super::{CursorScope, EventQuery, Positions};
use crate::limits::{SCAN_BYTES_MAX, SCAN_BYTES_MIN};

/// The events of a reading, in order, with where it is. Sees one moment of each partition.
/// CursorScope blocks.
pub(super) struct Merge {
    sources: Vec<PartitionScan>,
    order: Order,
    positions: Positions,
}

/// The outcome of looking for the next event.
pub(super) enum MergeStep<E> {
    /// An event.
    Event(E),
    /// Several events at once that are not wanted: their number.
    Passed(u64),
    /// Columns of events.
    Columns(Box<ColumnRows>),
    /// No more events.
    End,
}

struct PartitionScan {
    partition: u32,
    scanner: Scanner,
}

impl Merge {
    /// Begins a reading behind `positions`. Events that `query` does not want may be left out.
    pub(super) fn new(
        readers: &[Reader],
        scope: CursorScope<'_>,
        query: &EventQuery,
        positions: Positions,
        view: ReaderView,
    ) -> Self {
        // Events of reserved topics are stored beside the events that they are about, in any
        // partition.
        let only = scope.topic.filter(|topic| !is_reserved(topic));
        let only = only.map(|topic| partition_of(topic, readers.len() as u32));
        let scans = only.map_or(readers.len(), |_| 1);
        let bytes_max = SCAN_BYTES_MAX.checked_div(scans).unwrap_or_default().max(SCAN_BYTES_MIN);
        let sources = (0..).zip(readers).filter(|(partition, _)| only.is_none_or(|only| only == *partition));
        let sources = sources.map(|(partition, reader)| {
            let after = positions.iter().find(|(known, _)| *known == partition).map(|(_, seq)| *seq);
            let (timestamps_ns, conditions) = (Some(query.filter.timestamps_ns()), query.filter.conditions());
            let unread = query.unread(view.unread);
            let columns = view.columns.clone().filter(|_| query.is_of_columns());
            let (topic, order) = (scope.topic.map(str::to_owned), scope.order);
            let bytes_max = Some(bytes_max);
            let wanted = Scan { topic, after, order, timestamps_ns, bytes_max, ..Scan::default() };
            let scan = Scan { unread, conditions, columns, ..wanted };
            PartitionScan { partition, scanner: reader.scan(scan) }
        });
        Self { sources: sources.collect(), order: scope.order, positions }
    }

    /// The positions behind the last event.
    pub(super) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// See [`Scanner::release`].
    pub(super) fn release(&mut self) {
        self.sources.iter_mut().for_each(|source| source.scanner.release());
    }

    /// Whether there are more events, which may be wanted or not.
    pub(super) fn has_more(&mut self) -> Result<bool> {
        Ok(!matches!(self.best()?, MergeStep::End))
    }

    /// Hands the next event to `take`, and goes on behind it. Tells `take` whether the event is
    /// known to meet the conditions on payloads.
    pub(super) fn take_with<R>(&mut self, take: impl FnOnce(EventView<'_>, bool) -> R) -> Result<MergeStep<R>> {
        let at = match self.best()? {
            MergeStep::Event(at) => at,
            MergeStep::Passed(events) => return Ok(MergeStep::Passed(events)),
            MergeStep::Columns(columns) => return Ok(MergeStep::Columns(columns)),
            MergeStep::End => return Ok(MergeStep::End),
        };
        let Some(PartitionScan { partition, scanner }) = self.sources.get_mut(at) else { return Ok(MergeStep::End) };
        let Some(event) = scanner.peek() else { return Ok(MergeStep::End) };
        let (seq, taken) = (event.seq, take(event, scanner.is_judged()));
        scanner.pass();
        note(&mut self.positions, *partition, seq);
        Ok(MergeStep::Event(taken))
    }

    /// See [`Scanner::take_passed`].
    pub(super) fn take_passed(&mut self) -> u64 {
        self.sources.iter_mut().map(|source| source.scanner.take_passed()).sum()
    }

    /// Which source has the next event.
    fn best(&mut self) -> Result<MergeStep<usize>> {
        let mut best = None;
        for (at, PartitionScan { partition, scanner }) in self.sources.iter_mut().enumerate() {
            match scanner.advance()? {
                Ahead::Event => {}
                Ahead::Passed { events, after } => {
                    note(&mut self.positions, *partition, after);
                    return Ok(MergeStep::Passed(events));
                }
                Ahead::Columns => {
                    let Some(columns) = scanner.take_columns() else { continue };
                    return Ok(MergeStep::Columns(Box::new(columns)));
                }
                Ahead::End => continue,
            }
            let Some(event) = scanner.peek() else { continue };
            let key = (event.received_at_ns, *partition, event.seq);
            let is_better = best.is_none_or(|(other, _)| match self.order {
                Order::Ascending => key < other,
                Order::Descending => key > other,
            });
            if is_better {
                best = Some((key, at));
            }
        }
        Ok(best.map_or(MergeStep::End, |(_, at)| MergeStep::Event(at)))
    }
}

/// Notes how far a partition was read.
fn note(positions: &mut Positions, partition: u32, seq: u64) {
    match positions.iter_mut().find(|(known, _)| *known == partition) {
        Some((_, last)) => *last = seq,
        None => positions.push((partition, seq)),
    }
}
