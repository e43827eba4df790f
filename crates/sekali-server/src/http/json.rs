//! JSON answers.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;
use super::headers;

/// A value that is answered as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// Most answers are shorter; room for them is better made once.
const BYTES_TYPICAL: usize = 128;

/// The media type of JSON answers.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(BYTES_TYPICAL);
        match serde_json::to_writer(&mut text, &self.0) {
            Ok(()) => {
                let mut response = Response::new(Body::from(text));
                *response.headers_mut() = headers::of_json();
                response
            }
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}
