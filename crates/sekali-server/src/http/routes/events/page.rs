//! Events as one JSON array of bounded size, with the cursor of the next.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue, LINK};
use sekali_store::StoredEvent;

use super::{NEXT_CURSOR, PageRequest};
use crate::budget::{Budget, Reservation};
use crate::http::answer::{ApiError, Body, Layout, append_event, json_text};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};
use crate::query::{ClientGuard, EventCursor, Fill, QueryError, ScanBudget, read_page};
use crate::service::Service;

/// Reads a page and answers with it.
pub(super) async fn answer(
    service: &Service,
    request: PageRequest,
    mut cursor: EventCursor,
) -> Result<Response<Body>, ApiError> {
    let (memory, limit) = (service.pages().clone(), request.limit.unwrap_or(u64::MAX));
    // Dropped with this future when the client goes away.
    let client = ClientGuard::default();
    let budget = cursor.is_filtered().then(|| client.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX));
    let read = move || Page::read(&mut cursor, limit, budget, &memory).map(|page| (page, cursor));
    let (page, cursor) = service.reads().run::<_, QueryError>(read).await?;
    let next = page.more.then(|| service.cursor_key().seal(request.scope(), cursor.positions()));
    let mut response = json_text(Bytes::from_owner(page));
    if let Some(next) = next {
        let link = format!("<{}>; rel=\"next\"", request.next_page(&next));
        let headers = response.headers_mut();
        let mut insert =
            |name: HeaderName, text: &str| HeaderValue::from_str(text).map(|value| headers.insert(name, value));
        // Both are made of base64 and percent-encoding, which headers take.
        let _ = insert(LINK, &link);
        let _ = insert(NEXT_CURSOR, &next);
    }
    Ok(response)
}

/// The text of a page, with the memory that it takes up until it is sent.
struct Page {
    text: Vec<u8>,
    memory: Reservation,
    /// Whether there are more events.
    more: bool,
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Page {
    fn read(
        cursor: &mut EventCursor,
        limit: u64,
        budget: Option<ScanBudget>,
        memory: &Budget,
    ) -> Result<Self, QueryError> {
        let memory = memory.reserve(0).ok_or(QueryError::PagesFull)?;
        let mut page = Self { text: vec![b'['], memory, more: false };
        page.more = read_page(cursor, limit, budget, |event| page.append(event))?;
        page.text.push(b']');
        Ok(page)
    }

    fn append(&mut self, event: &StoredEvent) -> Result<Fill, QueryError> {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        append_event(&mut self.text, event, Layout::Verbatim);
        if !self.memory.grow(self.text.capacity() - self.memory.bytes()) {
            return Err(QueryError::PagesFull);
        }
        Ok(if self.text.len() < PAGE_BYTES_MAX { Fill::Room } else { Fill::Full })
    }
}
