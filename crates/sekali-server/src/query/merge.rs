//! Several partitions read as one: by the time of the commit, then by partition, then by seq.

use std::ops::RangeInclusive;

use sekali_store::{Order, Reader, Result, Scan, Scanner, StoredEvent, is_reserved, partition_of};

use super::{CursorScope, Positions};
use crate::limits::{SCAN_BYTES_MAX, SCAN_BYTES_MIN};

/// The events of a reading, in order, with where it is. Sees one moment of each partition.
/// CursorScope blocks.
pub(super) struct Merge {
    sources: Vec<PartitionScan>,
    order: Order,
    positions: Positions,
}

struct PartitionScan {
    partition: u32,
    scanner: Scanner,
    next: Option<StoredEvent>,
    ended: bool,
}

impl Merge {
    /// Begins a reading behind `positions`. Events outside `timestamps_ns` may be left out.
    pub(super) fn new(
        readers: &[Reader],
        scope: CursorScope<'_>,
        timestamps_ns: &RangeInclusive<i64>,
        positions: Positions,
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
            let timestamps_ns = Some(timestamps_ns.clone());
            let (topic, order) = (scope.topic.map(str::to_owned), scope.order);
            let scan = Scan { topic, after, order, timestamps_ns, bytes_max: Some(bytes_max), ..Scan::default() };
            PartitionScan { partition, scanner: reader.scan(scan), next: None, ended: false }
        });
        Self { sources: sources.collect(), order: scope.order, positions }
    }

    /// The positions behind the last event.
    pub(super) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// See [`Scanner::release`]. The next event of each partition stays.
    pub(super) fn release(&mut self) {
        self.sources.iter_mut().for_each(|source| source.scanner.release());
    }

    /// The next event, left where it is.
    pub(super) fn peek(&mut self) -> Result<Option<&StoredEvent>> {
        let best = self.best()?;
        Ok(best.and_then(|at| self.sources.get(at)?.next.as_ref()))
    }

    /// Which source has the next event.
    fn best(&mut self) -> Result<Option<usize>> {
        for source in &mut self.sources {
            source.fill()?;
        }
        let keys = self.sources.iter().enumerate().filter_map(|(at, source)| {
            let event = source.next.as_ref()?;
            Some(((event.received_at_ns, source.partition, event.seq), at))
        });
        let best = match self.order {
            Order::Ascending => keys.min(),
            Order::Descending => keys.max(),
        };
        Ok(best.map(|(_, at)| at))
    }

    fn take(&mut self) -> Result<Option<StoredEvent>> {
        let Some(at) = self.best()? else { return Ok(None) };
        let Some(source) = self.sources.get_mut(at) else { return Ok(None) };
        let event = source.next.take();
        if let Some(event) = &event {
            match self.positions.iter_mut().find(|(known, _)| *known == source.partition) {
                Some((_, seq)) => *seq = event.seq,
                None => self.positions.push((source.partition, event.seq)),
            }
        }
        Ok(event)
    }
}

impl PartitionScan {
    fn fill(&mut self) -> Result<()> {
        if self.next.is_none() && !self.ended {
            self.next = self.scanner.next().transpose()?;
            self.ended = self.next.is_none();
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<StoredEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}
