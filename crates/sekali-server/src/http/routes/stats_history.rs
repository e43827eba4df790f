//! `GET /stats/history`

use sekali_wire::timestamp::Timestamp;
use serde::Serialize;

use crate::http::answer::Json;
use crate::http::route::{Admitted, Answer};
use crate::limits::HISTORY_INTERVAL;
use crate::service::Acknowledged;

/// Counts of each of the last intervals.
pub(super) async fn stats_history(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let intervals = request.app.shared.service.history();
    let history = StatsHistory {
        interval_seconds: HISTORY_INTERVAL.as_secs(),
        starts: intervals.iter().map(|interval| Timestamp(interval.start_ns)).collect(),
        stored: intervals.iter().map(|interval| interval.stored).collect(),
        duplicates: intervals.iter().map(|interval| interval.duplicates).collect(),
        conflicts: intervals.iter().map(|interval| interval.conflicts).collect(),
        acknowledged: request.app.shared.service.latency().map(|Acknowledged { requests, p50, p99 }| {
            AcknowledgedJson { requests, p50_seconds: p50, p99_seconds: p99 }
        }),
    };
    Ok(Json(history).into_response())
}

#[derive(Debug, Serialize)]
struct StatsHistory {
    interval_seconds: u64,
    starts: Vec<Timestamp>,
    stored: Vec<u64>,
    duplicates: Vec<u64>,
    conflicts: Vec<u64>,
    acknowledged: Option<AcknowledgedJson>,
}

#[derive(Debug, Serialize)]
struct AcknowledgedJson {
    requests: u64,
    p50_seconds: f64,
    p99_seconds: f64,
}
