//! `GET /events/{topic}/{event_id}`

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use sekali_store::partition_of;

use super::App;
use super::error::{ApiError, Code};
use super::event_json::{Layout, append_event};
use super::json::JSON;
use super::query::Query;

/// One event, by its key.
pub(super) async fn event(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    Query::none(uri.query())?;
    let Path((topic, event_id)) = path.map_err(|_| {
        ApiError::new(Code::InvalidParameter, "topic and event id in the path must be percent-encoded UTF-8")
    })?;
    let readers = Arc::clone(&app.readers);
    let find = move || {
        let reader = readers.get(partition_of(&topic, app.target.partitions) as usize);
        let found = reader.map_or(Ok(None), |reader| reader.find(&topic, &event_id));
        found.map_err(|error| ApiError::internal(&error))
    };
    let found = app.reads.run(find).await?;
    let event =
        found.ok_or_else(|| ApiError::new(Code::NotFound, "no event with this topic and event id is stored"))?;
    let mut text = Vec::new();
    append_event(&mut text, &event, Layout::Verbatim);
    Ok(([(CONTENT_TYPE, JSON)], text).into_response())
}
