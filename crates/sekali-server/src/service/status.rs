//! How the running store does.

use std::sync::Arc;

use sekali_store::limits::FREE_BYTES_MIN;
use sekali_store::{Counters, Reader};
use sekali_wire::stats::{Expired, IndexStats, Oldest, Scrub, Status, StorageStats, StoreStats};
use sekali_wire::timestamp::Timestamp;

use super::{ScrubSummary, Service};
use crate::clients::{Client, once};
use crate::query::QueryError;

impl Service {
    /// How it does, in a word.
    pub fn status(&self) -> Status {
        if self.shared.pipeline.stopped().is_some() {
            Status::Stopped
        } else if self.shared.space.shortage().is_some() {
            Status::ReadOnly
        } else if self.shared.readers.iter().any(|reader| !reader.damage().is_empty() || !reader.flaws().is_empty()) {
            Status::Degraded
        } else {
            Status::Ready
        }
    }

    /// Why it takes no events, if it does not: for good, or until the disk has space.
    pub fn refusal(&self) -> Option<String> {
        let stopped = self.shared.pipeline.stopped().map(|reason| reason.to_string());
        stopped.or_else(|| self.shared.space.shortage().map(|shortage| format!("storage is full: {shortage}")))
    }

    /// A line for each damage.
    pub fn damage(&self) -> Vec<String> {
        damage_of(&self.shared.readers)
    }

    /// The counters of the store's lifetime.
    pub fn counters(&self) -> Counters {
        self.shared.readers.iter().map(Reader::counters).fold(Counters::default(), |sum, part| sum + part)
    }

    /// Events that were stored and have not expired.
    pub(crate) fn stored_events(&self) -> u64 {
        self.counters().stored.saturating_sub(expired_of(&self.shared.readers).events)
    }

    /// Seconds since it was started, to the millisecond.
    pub fn uptime_seconds(&self) -> f64 {
        (self.shared.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    /// The store as a whole. Reads the oldest event of each partition.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn store_stats(&self, client: Client) -> Result<StoreStats, QueryError> {
        let readers = Arc::clone(&self.shared.readers);
        let oldest = self.shared.reads.run(client, once(move || oldest_of(&readers))).await??;
        let readers = &self.shared.readers;
        Ok(StoreStats {
            damage: self.damage(),
            partitions: readers.len(),
            queued_bytes: self.shared.pipeline.queued_bytes(),
            expired: expired_of(readers),
            oldest,
            torn: self.shared.torn,
            scrub: scrub(self.shared.scrub.summary()),
            index: readers.iter().map(|reader| index(reader.index_stats())).collect(),
            storage: readers.iter().map(|reader| storage(reader.storage_stats(), reader.free_bytes().ok())).collect(),
        })
    }
}

/// A line for each damage of these partitions.
pub(super) fn damage_of(readers: &[Reader]) -> Vec<String> {
    let lost = readers.iter().flat_map(Reader::damage).map(|damage| damage.to_string());
    lost.chain(readers.iter().flat_map(Reader::flaws)).collect()
}

fn expired_of(readers: &[Reader]) -> Expired {
    readers.iter().map(Reader::expired).fold(Expired::default(), |sum, expired| Expired {
        events: sum.events + expired.events,
        bytes: sum.bytes + expired.bytes,
    })
}

fn oldest_of(readers: &[Reader]) -> Result<Vec<Oldest>, QueryError> {
    let mut all = Vec::new();
    for (partition, reader) in readers.iter().enumerate() {
        let oldest = reader.oldest()?;
        all.extend(oldest.map(|event| Oldest {
            partition,
            seq: event.seq,
            received_at: Timestamp(event.received_at_ns),
        }));
    }
    Ok(all)
}

fn scrub(summary: ScrubSummary) -> Scrub {
    let ScrubSummary { last_finished_ns, last_bytes, pass_bytes, mended } = summary;
    Scrub { last_finished: last_finished_ns.map(Timestamp), last_bytes, pass_bytes, mended }
}

fn index(stats: sekali_store::IndexStats) -> IndexStats {
    IndexStats {
        entries_in_memory: stats.entries_in_memory,
        entries_in_runs: stats.entries_in_runs,
        runs: stats.runs,
        tables_waiting: stats.tables_waiting,
        merge_debt_bytes: stats.merge_debt_bytes,
        filter_bytes: stats.filter_bytes,
        disk_bytes: stats.disk_bytes,
        look_ups: stats.look_ups,
        filter_hits: stats.filter_hits,
        false_positives: stats.false_positives,
        disk_reads: stats.disk_reads,
        failed: stats.failed,
    }
}

fn storage(stats: sekali_store::StorageStats, free_bytes: Option<u64>) -> StorageStats {
    let sekali_store::StorageStats { segments, segment_bytes, log_files, log_bytes, sealing_failed } = stats;
    StorageStats {
        segments,
        segment_bytes,
        log_files,
        log_bytes,
        sealing_failed,
        free_bytes,
        needed_bytes: FREE_BYTES_MIN,
    }
}
