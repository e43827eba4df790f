//! JSON answers.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;

/// A value that is answered as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// The media type of JSON answers.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(CONTENT_TYPE, JSON)], text).into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}
