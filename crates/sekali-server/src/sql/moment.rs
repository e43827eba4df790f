//! The moment of the store that a statement sees, and what its client may see of it.

use sekali_store::{CONFLICTS_TOPIC, Reader, Scan, Scanner, StoredEvent, is_reserved};

use crate::access::{Grant, Topics};
use crate::clock::now_ns;

/// The part of the store that a client may see.
#[derive(Debug, Clone)]
pub struct SqlView {
    /// Topics that it is limited to. `None` is all but the reserved ones.
    limits: Option<Topics>,
    /// Whether it may see the evidence of conflicts.
    pub(super) conflicts: bool,
}

impl SqlView {
    /// By the rights of a request.
    pub fn of(grant: &Grant) -> Self {
        Self { limits: grant.limits(), conflicts: grant.is_for(CONFLICTS_TOPIC) }
    }

    /// Whether events of `topic` are in the table of events.
    pub(super) fn includes(&self, topic: &str) -> bool {
        !is_reserved(topic) && self.limits.as_ref().is_none_or(|limits| limits.contains(topic))
    }
}

/// One moment of each partition.
pub(super) struct Moment {
    readers: Vec<Reader>,
    scanners: Vec<Scanner>,
}

impl Moment {
    /// The present one.
    pub(super) fn now(readers: &[Reader]) -> Self {
        let now_ns = now_ns();
        let readers: Vec<_> = readers.iter().map(|reader| reader.at(now_ns)).collect();
        let scanners = readers.iter().map(|reader| reader.scan(Scan::default())).collect();
        Self { readers, scanners }
    }

    /// Number of partitions.
    pub(super) fn partitions(&self) -> u32 {
        u32::try_from(self.scanners.len()).unwrap_or(u32::MAX)
    }

    /// The seq of the newest event of a partition.
    pub(super) fn last_seq(&self, partition: u32) -> u64 {
        self.scanners.get(partition as usize).map_or(0, Scanner::last_seq)
    }

    /// About how many events there are.
    pub(super) fn events(&self) -> u64 {
        self.scanners.iter().map(Scanner::last_seq).sum()
    }

    /// Reads a partition.
    pub(super) fn scan(&self, partition: u32, scan: Scan) -> Option<Scanner> {
        Some(self.scanners.get(partition as usize)?.another(scan))
    }

    /// The event with this key, if it was there.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn find(
        &self,
        partition: u32,
        topic: &str,
        event_id: &str,
    ) -> sekali_store::Result<Option<StoredEvent>> {
        let Some(reader) = self.readers.get(partition as usize) else { return Ok(None) };
        Ok(reader.find(topic, event_id)?.filter(|event| event.seq <= self.last_seq(partition)))
    }

    /// The partitions.
    pub(super) fn readers(&self) -> &[Reader] {
        &self.readers
    }
}
