//! Events as one JSON array of bounded size, with the cursor of the next.

use bytes::Bytes;
use hyper::Response;
use hyper::header::{HeaderName, HeaderValue, LINK};
use sekali_store::StoredEvent;

use super::{NEXT_CURSOR, PageRequest};
use crate::clients::{Client, HeldShare};
use crate::http::answer::{ApiError, Body, Layout, append_event, json_text};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};
use crate::query::{ClientGuard, EventCursor, Fill, PageScan, Positions, QueryError};
use crate::service::Service;

/// Reads a page and answers with it.
pub(super) async fn answer(
    service: &Service,
    client: Client,
    request: PageRequest,
    mut cursor: EventCursor,
) -> Result<Response<Body>, ApiError> {
    let (memory, limit) = (service.answers().hold(client.clone()), request.limit.unwrap_or(u64::MAX));
    // Dropped with this future when the client goes away.
    let guard = ClientGuard::default();
    let budget = cursor.is_filtered().then(|| guard.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX));
    let mut scan = PageScan::new(limit, budget);
    let mut page = Some(Page { text: vec![b'['], memory });
    let turn = move || page_turn(&mut scan, &mut cursor, &mut page).transpose();
    let (page, next) = service.reads().run(client, turn).await??;
    let next = next.map(|positions| service.cursor_key().seal(request.scope(), &positions));
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
    memory: HeldShare,
}

/// Reads on. Returns the page when it is complete, and where the next one begins, if there is one.
fn page_turn(
    scan: &mut PageScan,
    cursor: &mut EventCursor,
    page: &mut Option<Page>,
) -> Result<Option<(Page, Option<Positions>)>, QueryError> {
    let Some(unfinished) = page.as_mut() else { return Ok(None) };
    let Some(more) = scan.turn(cursor, |event| unfinished.append(event))? else { return Ok(None) };
    unfinished.text.push(b']');
    Ok(page.take().map(|page| (page, more.then(|| cursor.positions().clone()))))
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Page {
    fn append(&mut self, event: &StoredEvent) -> Result<Fill, QueryError> {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        append_event(&mut self.text, event, Layout::Verbatim);
        if !self.memory.resize(self.text.capacity()) {
            return Err(QueryError::AnswersFull);
        }
        Ok(if self.text.len() < PAGE_BYTES_MAX { Fill::Room } else { Fill::Full })
    }
}
