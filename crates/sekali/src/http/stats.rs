//! `GET /stats`

use axum::extract::{OriginalUri, State};
use sekali_store::{Counters, Reader};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::health::{Status, damage};
use super::json::Json;
use super::query::Query;
use super::topics::summaries;

/// The counters of the store's life, which always reconcile: `received = unique_processed + duplicate_dropped`.
pub(super) async fn stats(State(app): State<App>, OriginalUri(uri): OriginalUri) -> Result<Json<Stats>, ApiError> {
    Query::none(uri.query())?;
    let counters = app.readers.iter().map(Reader::counters).fold(Counters::default(), |sum, part| sum + part);
    Ok(Json(Stats {
        received: counters.received,
        unique_processed: counters.stored,
        duplicate_dropped: counters.duplicates,
        topics: summaries(&app.readers).into_iter().map(|summary| summary.topic).collect(),
        uptime_seconds: (app.started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        conflicts: counters.conflicts,
        status: Status::of(&app),
        damage: damage(&app),
        partitions: app.readers.len(),
        queued_bytes: app.pipeline.queued_bytes(),
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
    damage: Vec<String>,
    partitions: usize,
    queued_bytes: usize,
    version: &'static str,
}
