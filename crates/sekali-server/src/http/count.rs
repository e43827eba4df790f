//! `GET /events/count`

mod histogram;
mod interval;

use axum::extract::State;
use axum::http::Uri;
use sekali_store::{Order, TopicSummary, is_reserved};
use serde::Serialize;

use super::App;
use super::cursor::Positions;
use super::error::ApiError;
use super::filters::Wanted;
use super::json::Json;
use super::patience::{Patience, Waiting};
use super::query::{PAYLOAD, Query, wrong};
use super::select::{Select, Step};
use crate::access::Grant;
use histogram::{Histogram, TooMany};
use interval::Interval;
use sekali_wire::timestamp::append_timestamp;

/// How many stored events match, and when they happened.
pub(super) async fn count(
    State(app): State<App>,
    State(grant): State<Grant>,
    uri: Uri,
) -> Result<Json<Count>, ApiError> {
    let query = Query::parse(uri.query(), &PARAMETERS)?;
    let wanted = Wanted::parse(&query, &grant)?;
    let interval = Interval::parse(&query)?;
    if interval.is_none() && wanted.filter.is_empty() {
        return Ok(Json(Count { count: tally(&app, &wanted), over_time: None }));
    }
    let (since, until) = (wanted.filter.since_ns, wanted.filter.until_ns);
    let histogram = interval.map(|interval| Histogram::new(interval, since, until)).transpose().map_err(too_many)?;
    scan(&app, wanted, histogram).await.map(Json)
}

const PARAMETERS: [&str; 8] = ["topic", "since", "until", "source", "event_id", PAYLOAD, "q", "interval"];

/// What is counted. The buckets follow each other without gaps.
#[derive(Debug, Serialize)]
pub(super) struct Count {
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
    start: String,
    count: u64,
}

/// How many events there are, of a topic or of all but the reserved ones, from what is known without reading them.
fn tally(app: &App, wanted: &Wanted) -> u64 {
    let is_wanted = |summary: &TopicSummary| match (&wanted.topic, &wanted.limits) {
        (Some(topic), _) => summary.topic == *topic,
        (None, _) if is_reserved(&summary.topic) => false,
        (None, Some(topics)) => topics.contains(&summary.topic),
        (None, None) => true,
    };
    app.readers.iter().flat_map(sekali_store::Reader::topics).filter(is_wanted).map(|summary| summary.events).sum()
}

/// Counts by reading, which can take minutes and ends when the client goes away.
async fn scan(app: &App, wanted: Wanted, mut histogram: Option<Histogram>) -> Result<Count, ApiError> {
    let mut select = Select::new(&app.readers, wanted, Order::Ascending, Positions::new());
    // Dropped with this future when the client goes away.
    let waiting = Waiting::default();
    let patience = waiting.patience(u64::MAX, std::time::Duration::MAX);
    let read = move || {
        let count = read(&mut select, patience, histogram.as_mut())?;
        Ok(Count { count, over_time: histogram.map(OverTime::from) })
    };
    app.counts.run(read).await
}

fn read(select: &mut Select, mut patience: Patience, mut histogram: Option<&mut Histogram>) -> Result<u64, ApiError> {
    let mut count = 0;
    while patience.lasts() {
        match select.step().map_err(|error| ApiError::internal(&error))? {
            Step::Event(event) => {
                count += 1;
                if let Some(histogram) = &mut histogram {
                    histogram.add(event.timestamp_ns).map_err(too_many)?;
                }
            }
            Step::Passed => {}
            Step::End => break,
        }
    }
    Ok(count)
}

fn too_many(error: TooMany) -> ApiError {
    wrong("interval", &error.to_string(), &[])
}

impl From<Histogram> for OverTime {
    fn from(histogram: Histogram) -> Self {
        let bucket = |(start_ns, count)| Bucket { start: time(start_ns), count };
        Self { interval_seconds: histogram.interval().seconds(), buckets: histogram.buckets().map(bucket).collect() }
    }
}

fn time(ns: i64) -> String {
    let mut text = Vec::new();
    append_timestamp(&mut text, ns);
    String::from_utf8(text).unwrap_or_default()
}
