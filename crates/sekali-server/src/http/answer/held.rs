//! Answers that may be large, with the memory that they take up until they are sent.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use serde::Serialize;

use super::{ApiError, Body, json_text};
use crate::clients::{Client, HeldShare};
use crate::query::QueryError;
use crate::service::Service;

/// The header that has the cursor of the next page.
pub(in crate::http) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");
/// The header that has the cursor behind the last page, for events that are yet to come.
pub(in crate::http) const RESUME_CURSOR: HeaderName = HeaderName::from_static("x-resume-cursor");

/// The header that has the cursor to acknowledge events of a consumer with.
pub(in crate::http) const ACK_CURSOR: HeaderName = HeaderName::from_static("x-ack-cursor");

/// The text of an answer.
pub(in crate::http) struct HeldText {
    pub(in crate::http) text: Vec<u8>,
    pub(in crate::http) memory: HeldShare,
}

impl AsRef<[u8]> for HeldText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// The answer of a value as JSON, of a size that is bounded.
///
/// # Errors
/// `overloaded`: the client has too many answers that it does not read.
pub(in crate::http) fn held_json<T: Serialize>(
    service: &Service,
    client: Client,
    value: &T,
) -> Result<Response<Body>, ApiError> {
    let mut text = serde_json::to_vec(value).map_err(|error| ApiError::internal(&error))?;
    text.push(b'\n');
    let mut memory = service.answers().hold(client);
    if !memory.resize(text.capacity()) {
        return Err(QueryError::AnswersFull.into());
    }
    Ok(json_text(Bytes::from_owner(HeldText { text, memory })))
}

/// Names the next page, by an address relative to this one's: a proxy may have put something in
/// front of it.
pub(in crate::http) fn add_next_page(headers: &mut HeaderMap, address: &str, cursor: &str) {
    let mut insert =
        |name: HeaderName, text: &str| HeaderValue::from_str(text).map(|value| headers.insert(name, value));
    // Both are made of base64 and percent-encoding, which headers take.
    let _ = insert(LINK, &format!("<{address}>; rel=\"next\""));
    let _ = insert(NEXT_CURSOR, cursor);
}
