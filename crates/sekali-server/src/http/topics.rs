//! `GET /topics`

use axum::extract::State;
use axum::http::Uri;
use sekali_store::{Reader, TopicSummary, is_reserved};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::json::Json;
use super::query::Query;
use crate::access::Grant;
use sekali_wire::timestamp::append_timestamp;

/// What is known of every topic but the reserved ones, by name, of those that the client may read.
pub(super) async fn topics(
    State(app): State<App>,
    State(grant): State<Grant>,
    uri: Uri,
) -> Result<Json<Vec<Topic>>, ApiError> {
    Query::none(uri.query())?;
    Ok(Json(summaries(&app.readers, &grant).into_iter().map(Topic::from).collect()))
}

/// Every topic but the reserved ones that `grant` is for, by name.
pub(super) fn summaries(readers: &[Reader], grant: &Grant) -> Vec<TopicSummary> {
    let is_shown = |summary: &TopicSummary| !is_reserved(&summary.topic) && grant.is_for(&summary.topic);
    let mut topics: Vec<_> = readers.iter().flat_map(Reader::topics).filter(is_shown).collect();
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
