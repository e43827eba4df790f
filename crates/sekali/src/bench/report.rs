//! The report, for people and for machines.

use std::time::Duration;

use serde::Serialize;

use super::body::TOPICS;
use super::connection::Measured;
use super::{Compression, IdShape, Load};
use sekali_client::ServerUrl;

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// Acknowledged events per second.
    pub events_per_second: f64,
    /// Acknowledged requests per second.
    pub requests_per_second: f64,
    /// Median time from request to response, in milliseconds. With a rate, the time of a late
    /// request counts from its due time.
    pub p50_ms: f64,
    /// Exceeded by one request in a hundred.
    pub p99_ms: f64,
    /// Exceeded by one request in a thousand.
    pub p99_9_ms: f64,
    /// The longest time.
    pub max_ms: f64,
    /// Acknowledged requests.
    pub requests: u64,
    /// Acknowledged events.
    pub received: u64,
    /// Distinct events among them, as the client counted. The server should store as many.
    pub distinct: u64,
    /// New events among them, as the server counted.
    pub stored: u64,
    /// Duplicates among them.
    pub duplicates: u64,
    /// Conflicts among them. There should be none.
    pub conflicts: u64,
    /// Requests without a 202.
    pub errors: u64,
    /// Requests that were due and never sent, because earlier ones took too long. Their waiting
    /// times count.
    pub unsent: u64,
    /// The error of the last request without a 202.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Time from the first request to the last response.
    pub elapsed_seconds: f64,
    /// The load.
    pub load: LoadReport,
}

/// The load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// The server.
    pub url: String,
    /// Requests in flight.
    pub connections: usize,
    /// Events of a request.
    pub batch_size: usize,
    /// Fraction of repeats.
    pub dup_ratio: f64,
    /// Length of an event as JSON.
    pub event_bytes: usize,
    /// Length of a payload.
    pub payload_bytes: usize,
    /// Form of the ids.
    pub ids: IdShape,
    /// Compression of requests.
    pub compress: Compression,
    /// Requested events per second; `None` for a closed loop.
    pub rate: Option<f64>,
    /// Number of topics.
    pub topics: u64,
    /// Time in which requests were begun.
    pub duration_seconds: f64,
}

impl BenchReport {
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
