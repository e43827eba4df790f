//! What was measured, for people and for machines.

use std::time::Duration;

use serde::Serialize;

use super::body::TOPICS;
use super::connection::Measured;
use super::{Compression, IdShape, Load};
use sekali_client::ServerUrl;

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Events answered, a second.
    pub events_per_second: f64,
    /// Requests answered, a second.
    pub requests_per_second: f64,
    /// Median time from request to answer, in milliseconds. With a rate, a request that could not be sent when it was due
    /// has waited since then.
    pub p50_ms: f64,
    /// Exceeded by one request in a hundred.
    pub p99_ms: f64,
    /// Exceeded by one request in a thousand.
    pub p99_9_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Requests answered.
    pub requests: u64,
    /// Events answered.
    pub received: u64,
    /// Different ones among them, as this side counted. What is stored should be as many.
    pub distinct: u64,
    /// New ones among them, as the server counted.
    pub stored: u64,
    /// Known ones among them.
    pub duplicates: u64,
    /// Known ones with different content: there should be none.
    pub conflicts: u64,
    /// Requests that were not answered 202.
    pub errors: u64,
    /// Requests that were due and never sent, because those before took too long. They count among the times.
    pub unsent: u64,
    /// What the last of those that were not answered 202 met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// From the first request to the last answer.
    pub elapsed_seconds: f64,
    /// What was sent.
    pub load: LoadReport,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// To which server.
    pub url: String,
    /// How many at a time.
    pub connections: usize,
    /// Events of a request.
    pub batch_size: usize,
    /// Share of repeats.
    pub dup_ratio: f64,
    /// Length of an event as JSON.
    pub event_bytes: usize,
    /// Length of its payload.
    pub payload_bytes: usize,
    /// What ids look like.
    pub ids: IdShape,
    /// How requests are compressed.
    pub compress: Compression,
    /// Events a second that were to be sent; none if as many as are answered.
    pub rate: Option<f64>,
    /// Spread over this many.
    pub topics: u64,
    /// For how long requests were begun.
    pub duration_seconds: f64,
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "rates and milliseconds need no more than 53 bits")]
    pub(super) fn new(url: &ServerUrl, load: &Load, measured: &Measured, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64().max(f64::EPSILON);
        let quantile_ms = |quantile| measured.latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            events_per_second: (measured.received as f64 / seconds).round(),
            requests_per_second: (measured.requests as f64 * 10.0 / seconds).round() / 10.0,
            p50_ms: quantile_ms(0.5),
            p99_ms: quantile_ms(0.99),
            p99_9_ms: quantile_ms(0.999),
            max_ms: quantile_ms(1.0),
            requests: measured.requests,
            received: measured.received,
            distinct: measured.distinct,
            stored: measured.stored,
            duplicates: measured.duplicates,
            conflicts: measured.conflicts,
            errors: measured.errors,
            unsent: measured.unsent,
            last_error: measured.last_error.clone(),
            elapsed_seconds: (seconds * 1_000.0).round() / 1_000.0,
            load: LoadReport {
                url: url.to_string(),
                connections: load.connections,
                batch_size: load.batch_size,
                dup_ratio: load.dup_ratio,
                event_bytes: load.event_bytes(),
                payload_bytes: load.payload_bytes,
                ids: load.ids,
                compress: load.compression,
                rate: load.rate,
                topics: TOPICS,
                duration_seconds: load.duration.as_secs_f64(),
            },
        }
    }
}
