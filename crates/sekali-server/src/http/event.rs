//! `GET /events/{topic}/{event_id}`

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use sekali_store::{is_reserved, partition_of};

use super::App;
use super::auth::not_for;
use super::error::{ApiError, Code};
use super::event_json::{Layout, append_event};
use super::json::JSON;
use super::query::Query;
use crate::access::Grant;

/// One event, by its key.
pub(super) async fn event(
    State(app): State<App>,
    State(grant): State<Grant>,
    uri: Uri,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    Query::none(uri.query())?;
    let Path((topic, event_id)) = path.map_err(|_| {
        ApiError::new(Code::InvalidParameter, "topic and event id in the path must be percent-encoded UTF-8")
    })?;
    if !grant.is_for(&topic) {
        return Err(not_for(&topic));
    }
    let (readers, partition) = (Arc::clone(&app.readers), partition_of(&topic, app.target.partitions) as usize);
    let find = move || {
        // What is kept in reserved topics is beside the events that it is about, in any partition.
        let readers = readers.iter().enumerate().filter(|(at, _)| *at == partition || is_reserved(&topic));
        let mut found = readers.map(|(_, reader)| reader.find(&topic, &event_id));
        let found = found.find(|found| !matches!(found, Ok(None))).unwrap_or(Ok(None));
        found.map_err(|error| ApiError::internal(&error))
    };
    let found = app.reads.run(find).await?;
    let event =
        found.ok_or_else(|| ApiError::new(Code::NotFound, "no event with this topic and event id is stored"))?;
    let mut text = Vec::new();
    append_event(&mut text, &event, Layout::Verbatim);
    Ok(([(CONTENT_TYPE, JSON)], text).into_response())
}
