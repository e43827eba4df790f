//! `GET /topics`

use axum::extract::{OriginalUri, State};
use sekali_store::{Reader, TopicSummary, is_reserved};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::json::Json;
use super::query::Query;
use crate::ingest::append_timestamp;

/// What is known of every topic but the reserved ones, by name.
pub(super) async fn topics(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Vec<Topic>>, ApiError> {
    Query::none(uri.query())?;
    Ok(Json(summaries(&app.readers).into_iter().map(Topic::from).collect()))
}

/// Every topic but the reserved ones, by name.
pub(super) fn summaries(readers: &[Reader]) -> Vec<TopicSummary> {
    let mut topics: Vec<_> =
        readers.iter().flat_map(Reader::topics).filter(|topic| !is_reserved(&topic.topic)).collect();
    topics.sort_unstable_by(|a, b| a.topic.cmp(&b.topic));
    topics
}

#[derive(Debug, Serialize)]
pub(super) struct Topic {
    topic: String,
    events: u64,
    bytes: u64,
    first_timestamp: String,
    last_timestamp: String,
}

impl From<TopicSummary> for Topic {
    fn from(summary: TopicSummary) -> Self {
        Self {
            topic: summary.topic,
            events: summary.events,
            bytes: summary.bytes,
            first_timestamp: timestamp(summary.first_timestamp_ns),
            last_timestamp: timestamp(summary.last_timestamp_ns),
        }
    }
}

pub(super) fn timestamp(ns: i64) -> String {
    let mut text = Vec::new();
    append_timestamp(&mut text, ns);
    String::from_utf8(text).unwrap_or_default()
}
