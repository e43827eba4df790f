//! How the running store does.

use std::time::Duration;

use sekali_store::limits::FREE_BYTES_MIN;
use sekali_store::{Counters, Reader};
use sekali_wire::stats::{Expired, IndexStats, Oldest, Scrub, Status, StorageStats, StoreStats};
use sekali_wire::timestamp::Timestamp;

use super::{Acknowledged, CountedInterval, ScrubSummary, Service};
use crate::clients::{Client, once};
use crate::clock::now_ns;
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

    /// Counts of each of the last intervals, oldest first.
    pub(crate) fn history(&self) -> Vec<CountedInterval> {
        self.shared.history.intervals(self.counters())
    }

    /// How long requests waited for the disk in these intervals.
    pub(crate) fn latency(&self) -> Option<Acknowledged> {
        self.shared.history.latency()
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
        let readers = self.readers_now();
        let oldest = self.shared.reads.run(client, once(move || oldest_of(&readers))).await??;
        let readers = &self.shared.readers;
        let (expired, now_ns) = (expired_of(readers), now_ns());
        Ok(StoreStats {
            // The door knows.
            listening: Vec::new(),
            damage: self.damage(),
            partitions: readers.len(),
            queued_bytes: self.shared.pipeline.queued_bytes(),
            expired: Expired { events: expired.events, bytes: expired.bytes },
            clock_behind_seconds: clock_behind(readers, now_ns),
            oldest,
            torn: self.shared.torn,
            scrub: scrub(self.shared.scrub.summary()),
            ways: self.shared.tally.ways(),
            index: readers.iter().map(|reader| index(reader.index_stats())).collect(),
            storage: readers.iter().map(|reader| storage(reader, now_ns)).collect(),
        })
    }
}

/// A line for each damage of these partitions.
pub(super) fn damage_of(readers: &[Reader]) -> Vec<String> {
    let lost = readers.iter().flat_map(Reader::damage).map(|damage| damage.to_string());
    lost.chain(readers.iter().flat_map(Reader::flaws)).collect()
}

/// Sum of the expired events of all partitions. Seqs are of one partition and left out.
pub(super) fn expired_of(readers: &[Reader]) -> sekali_store::Expired {
    readers.iter().map(Reader::expired).fold(sekali_store::Expired::default(), |sum, expired| sekali_store::Expired {
        events: sum.events + expired.events,
        bytes: sum.bytes + expired.bytes,
        ..sum
    })
}

/// A clock that is behind the newest event by more is wrong now, or was wrong then.
const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(120);

/// Seconds by which the clock is behind the newest event; 0 where that is within
/// [`CLOCK_BEHIND_MAX`].
pub(super) fn clock_behind(readers: &[Reader], now_ns: i64) -> u64 {
    let newest_ns = readers.iter().filter_map(Reader::last_commit_ns).max();
    let behind = Duration::from_nanos(newest_ns.map_or(0, |newest_ns| elapsed_ns(now_ns, newest_ns)));
    if behind > CLOCK_BEHIND_MAX { behind.as_secs() } else { 0 }
}

/// Nanoseconds from one time to a later one.
fn elapsed_ns(from_ns: i64, to_ns: i64) -> u64 {
    u64::try_from(to_ns.saturating_sub(from_ns)).unwrap_or(0)
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

fn storage(reader: &Reader, now_ns: i64) -> StorageStats {
    let sekali_store::StorageStats {
        segments,
        segment_bytes,
        log_files,
        log_bytes,
        sealing_failed,
        oldest_unsealed_ns,
    } = reader.storage_stats();
    let unsealed = oldest_unsealed_ns.map(|oldest_ns| Duration::from_nanos(elapsed_ns(oldest_ns, now_ns)));
    StorageStats {
        segments,
        segment_bytes,
        log_files,
        log_bytes,
        sealing_failed,
        free_bytes: reader.free_bytes().ok(),
        needed_bytes: FREE_BYTES_MIN,
        unsealed_seconds: unsealed.map_or(0, |unsealed| unsealed.as_secs()),
    }
}
