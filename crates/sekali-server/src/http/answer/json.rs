//! Answers in JSON. They end with a line break, as terminals like it.

use hyper::Response;
use hyper::header::HeaderValue;
use serde::Serialize;

use super::{ApiError, Body, headers};

/// A value to answer with as JSON.
#[derive(Debug)]
pub(in crate::http) struct Json<T>(pub(in crate::http) T);

/// Most answers are shorter; room for them is better made once.
const BYTES_TYPICAL: usize = 128;

/// The media type of JSON answers.
pub(in crate::http) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl<T: Serialize> Json<T> {
    /// The answer, with status 200.
    pub(in crate::http) fn into_response(self) -> Response<Body> {
        let mut text = Vec::with_capacity(BYTES_TYPICAL);
        match serde_json::to_writer(&mut text, &self.0) {
            Ok(()) => {
                text.push(b'\n');
                json_text(text)
            }
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}

/// The answer of JSON that is text already, with status 200.
pub(in crate::http) fn json_text(text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.headers_mut() = headers::of_json();
    response
}
