//! Events as one JSON array of bounded size, with the cursor of the next.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;

use super::App;
use super::error::{ApiError, Code};
use super::event_json::{Layout, append_event};
use super::events::{Asked, NEXT_CURSOR};
use super::json::JSON;
use super::merge::Merge;
use crate::budget::{Budget, Reservation};
use crate::limits::PAGE_BYTES_MAX;

/// Reads a page and answers with it.
pub(super) async fn answer(app: &App, asked: Asked, mut merge: Merge) -> Result<Response, ApiError> {
    let (budget, limit) = (app.pages.clone(), asked.limit.unwrap_or(u64::MAX));
    let read = tokio::task::spawn_blocking(move || read(&mut merge, limit, &budget).map(|page| (page, merge))).await;
    let (page, merge) = read.map_err(|error| ApiError::internal(&error))??;
    let next = page.more.then(|| app.cursor_key.seal(asked.reading(), merge.positions()));
    let mut response = Response::new(Body::from(Bytes::from_owner(page)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(cursor) = next {
        let link = format!("<{}>; rel=\"next\"", asked.next_page(&cursor));
        let mut insert =
            |name: HeaderName, text: &str| HeaderValue::from_str(text).map(|value| headers.insert(name, value));
        // Both are made of base64 and percent-encoding, which headers take.
        let _ = insert(LINK, &link);
        let _ = insert(NEXT_CURSOR, &cursor);
    }
    Ok(response)
}

/// The text of a page, with the room it takes up until it is sent.
struct Page {
    text: Vec<u8>,
    room: Reservation,
    /// Whether there were more events.
    more: bool,
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

fn read(merge: &mut Merge, limit: u64, budget: &Budget) -> Result<Page, ApiError> {
    let room = budget.reserve(0).ok_or_else(overloaded)?;
    let mut page = Page { text: vec![b'['], room, more: false };
    let mut count = 0;
    while count < limit && page.text.len() < PAGE_BYTES_MAX {
        let Some(event) = merge.next() else { break };
        let event = event.map_err(|error| ApiError::internal(&error))?;
        if count > 0 {
            page.text.push(b',');
        }
        append_event(&mut page.text, &event, Layout::Verbatim);
        count += 1;
        if !page.room.grow(page.text.capacity() - page.room.bytes()) {
            return Err(overloaded());
        }
    }
    page.more = merge.peek().map_err(|error| ApiError::internal(&error))?.is_some();
    page.text.push(b']');
    Ok(page)
}

fn overloaded() -> ApiError {
    ApiError::new(Code::Overloaded, "too many pages are being read; try again")
}
