//! `GET /stats`

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use sekali_store::{Counters, Reader, Result as StoreResult};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::health::{Status, damage};
use super::json::Json;
use super::query::Query;
use super::topics::{summaries, timestamp};
use crate::access::Grant;
use crate::scrub::ScrubSummary;

/// The counters of the store's life, which always reconcile: `received = unique_processed + duplicate_dropped`. Clients
/// that may not read all topics see the counters and their topics.
pub(super) async fn stats(
    State(app): State<App>,
    State(grant): State<Grant>,
    uri: Uri,
) -> Result<Json<Stats>, ApiError> {
    Query::none(uri.query())?;
    let counters = app.readers.iter().map(Reader::counters).fold(Counters::default(), |sum, part| sum + part);
    let inside = if grant.sees_whole_store() { Some(Inside::of(&app).await?) } else { None };
    Ok(Json(Stats {
        received: counters.received,
        unique_processed: counters.stored,
        duplicate_dropped: counters.duplicates,
        topics: summaries(&app.readers, &grant).into_iter().map(|summary| summary.topic).collect(),
        uptime_seconds: (app.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        conflicts: counters.conflicts,
        status: Status::of(&app),
        inside,
        version: env!("CARGO_PKG_VERSION"),
    }))
}

#[derive(Debug, Serialize)]
pub(super) struct Stats {
    received: u64,
    unique_processed: u64,
    duplicate_dropped: u64,
    topics: Vec<String>,
    uptime_seconds: f64,
    conflicts: u64,
    status: Status,
    #[serde(flatten)]
    inside: Option<Inside>,
    version: &'static str,
}

/// How the store as a whole does.
#[derive(Debug, Serialize)]
struct Inside {
    damage: Vec<String>,
    partitions: usize,
    queued_bytes: usize,
    expired: Expired,
    oldest: Vec<Oldest>,
    scrub: Scrub,
    index: Vec<IndexStats>,
    storage: Vec<StorageStats>,
}

impl Inside {
    async fn of(app: &App) -> Result<Self, ApiError> {
        let readers = Arc::clone(&app.readers);
        let read = move || Oldest::of(&readers).map_err(|error| ApiError::internal(&error));
        let oldest = app.reads.run(read).await?;
        Ok(Self {
            damage: damage(app),
            partitions: app.readers.len(),
            queued_bytes: app.pipeline.queued_bytes(),
            expired: Expired::of(&app.readers),
            oldest,
            scrub: Scrub::from(app.scrub.summary()),
            index: app.readers.iter().map(|reader| IndexStats::from(reader.index_stats())).collect(),
            storage: app.readers.iter().map(|reader| StorageStats::from(reader.storage_stats())).collect(),
        })
    }
}

/// Events that are kept no longer. They stay counted.
#[derive(Debug, Default, Serialize)]
struct Expired {
    events: u64,
    bytes: u64,
}

impl Expired {
    fn of(readers: &[Reader]) -> Self {
        let mut sum = Self::default();
        for expired in readers.iter().map(Reader::expired) {
            sum.events += expired.events;
            sum.bytes += expired.bytes;
        }
        sum
    }
}

/// How far back the events of a partition reach.
#[derive(Debug, Serialize)]
struct Oldest {
    partition: usize,
    seq: u64,
    received_at: String,
}

impl Oldest {
    /// Of all partitions that have events. Reads files.
    fn of(readers: &[Reader]) -> StoreResult<Vec<Self>> {
        let mut all = Vec::new();
        for (partition, reader) in readers.iter().enumerate() {
            let oldest = reader.oldest()?;
            all.extend(oldest.map(|event| Self {
                partition,
                seq: event.seq,
                received_at: timestamp(event.received_at_ns),
            }));
        }
        Ok(all)
    }
}

/// How far everything that is stored has been read and checked.
#[derive(Debug, Serialize)]
struct Scrub {
    last_finished: Option<String>,
    last_bytes: u64,
    pass_bytes: u64,
    mended: u64,
}

impl From<ScrubSummary> for Scrub {
    fn from(summary: ScrubSummary) -> Self {
        let ScrubSummary { last_finished_ns, last_bytes, pass_bytes, mended } = summary;
        Self { last_finished: last_finished_ns.map(timestamp), last_bytes, pass_bytes, mended }
    }
}

/// The dedup index of a partition. Counts of look-ups are since the start.
#[derive(Debug, Serialize)]
struct IndexStats {
    entries_in_memory: u64,
    entries_in_runs: u64,
    runs: usize,
    tables_waiting: usize,
    merge_debt_bytes: u64,
    filter_bytes: u64,
    disk_bytes: u64,
    look_ups: u64,
    filter_hits: u64,
    false_positives: u64,
    disk_reads: u64,
    failed: Option<String>,
}

impl From<sekali_store::index::IndexStats> for IndexStats {
    fn from(stats: sekali_store::index::IndexStats) -> Self {
        Self {
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
}

/// What a partition's events take on disk.
#[derive(Debug, Serialize)]
struct StorageStats {
    segments: usize,
    segment_bytes: u64,
    log_files: usize,
    log_bytes: u64,
    sealing_failed: Option<String>,
}

impl From<sekali_store::StorageStats> for StorageStats {
    fn from(stats: sekali_store::StorageStats) -> Self {
        let sekali_store::StorageStats { segments, segment_bytes, log_files, log_bytes, sealing_failed } = stats;
        Self { segments, segment_bytes, log_files, log_bytes, sealing_failed }
    }
}
