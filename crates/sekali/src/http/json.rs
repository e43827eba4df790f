//! JSON answers.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::ApiError;

/// A value that is answered as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// How many headers an answer has in the end; room for them is better made once.
const HEADERS_TYPICAL: usize = 8;

/// The media type of JSON answers.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => {
                let mut response = Response::new(Body::from(text));
                *response.headers_mut() = HeaderMap::with_capacity(HEADERS_TYPICAL);
                response.headers_mut().insert(CONTENT_TYPE, JSON);
                response
            }
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}
