//! Events as one JSON array of bounded size, with the cursor of the next.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use sekali_store::StoredEvent;

use super::App;
use super::error::{ApiError, Code};
use super::event_json::{Layout, append_event};
use super::events::{Asked, NEXT_CURSOR};
use super::json::JSON;
use super::patience::{Patience, Waiting};
use super::select::{Select, Step};
use crate::budget::{Budget, Reservation};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};

/// Reads a page and answers with it.
pub(super) async fn answer(app: &App, asked: Asked, mut select: Select) -> Result<Response, ApiError> {
    let (budget, limit) = (app.pages.clone(), asked.limit.unwrap_or(u64::MAX));
    // Dropped with this future when the client goes away.
    let waiting = Waiting::default();
    let patience = select.is_filtered().then(|| waiting.patience(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX));
    let read = move || read(&mut select, limit, patience, &budget).map(|page| (page, select));
    let (page, select) = app.reads.run(read).await?;
    let next = page.more.then(|| app.cursor_key.seal(asked.reading(), select.positions()));
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

impl Page {
    fn append(&mut self, event: &StoredEvent, is_first: bool) -> Result<(), ApiError> {
        if !is_first {
            self.text.push(b',');
        }
        append_event(&mut self.text, event, Layout::Verbatim);
        if self.room.grow(self.text.capacity() - self.room.bytes()) { Ok(()) } else { Err(overloaded()) }
    }
}

fn read(select: &mut Select, limit: u64, mut patience: Option<Patience>, budget: &Budget) -> Result<Page, ApiError> {
    let room = budget.reserve(0).ok_or_else(overloaded)?;
    let mut page = Page { text: vec![b'['], room, more: false };
    let mut count = 0;
    while count < limit && page.text.len() < PAGE_BYTES_MAX {
        match select.step().map_err(|error| ApiError::internal(&error))? {
            Step::Event(event) => {
                page.append(&event, count == 0)?;
                count += 1;
            }
            Step::Passed => {}
            Step::End => break,
        }
        if patience.as_mut().is_some_and(|patience| !patience.lasts()) {
            break;
        }
    }
    page.more = select.has_more().map_err(|error| ApiError::internal(&error))?;
    page.text.push(b']');
    Ok(page)
}

fn overloaded() -> ApiError {
    ApiError::new(Code::Overloaded, "too many pages are being read; try again")
}
