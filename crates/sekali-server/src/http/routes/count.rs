//! `GET /events/count`

use sekali_wire::timestamp::Timestamp;
use serde::Serialize;

use crate::http::answer::{ApiError, Json, wrong_parameter};
use crate::http::event_query::parse_event_query;
use crate::http::parameters::Parameters;
use crate::http::route::{Admitted, Answer};
use crate::query::{Histogram, Interval, QueryError};

/// How many stored events match, and when they happened.
pub(super) async fn count(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let interval = interval(&parameters)?;
    let service = &request.app.shared.service;
    if interval.is_none() && query.filter.is_empty() {
        let count = service.tally(request.client(), query).await?;
        return Ok(Json(Count { count, over_time: None }).into_response());
    }
    let (since, until) = (query.filter.since_ns, query.filter.until_ns);
    let histogram = interval.map(|interval| Histogram::new(interval, since, until)).transpose();
    let histogram = histogram.map_err(QueryError::from)?;
    let (count, histogram) = service.count(request.client(), query, histogram).await?;
    Ok(Json(Count { count, over_time: histogram.map(OverTime::from) }).into_response())
}

fn interval(parameters: &Parameters<'_>) -> Result<Option<Interval>, ApiError> {
    let Some(text) = parameters.get("interval") else { return Ok(None) };
    let interval = Interval::parse(text).map(Some);
    interval.ok_or_else(|| {
        wrong_parameter("interval", "must be a whole number with s, m, h or d, from 1s to 366d, like 5m", &[])
    })
}

/// The number of events. The buckets follow each other without gaps.
#[derive(Debug, Serialize)]
struct Count {
    count: u64,
    #[serde(flatten)]
    over_time: Option<OverTime>,
}

#[derive(Debug, Serialize)]
struct OverTime {
    interval_seconds: u64,
    buckets: Vec<Bucket>,
}

#[derive(Debug, Serialize)]
struct Bucket {
    start: Timestamp,
    count: u64,
}

impl From<Histogram> for OverTime {
    fn from(histogram: Histogram) -> Self {
        let bucket = |(start_ns, count)| Bucket { start: Timestamp(start_ns), count };
        Self { interval_seconds: histogram.interval().seconds(), buckets: histogram.buckets().map(bucket).collect() }
    }
}
