//! Events as one JSON array of bounded size, with the cursor of the next.

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use sekali_store::{Order, StoredEvent};

use super::PageRequest;
use crate::clients::Client;
use crate::http::answer::{ApiError, Body, HeldText, Layout, RESUME_CURSOR, add_next_page, append_event, json_text};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};
use crate::query::{ClientGuard, Columns, EventCursor, Fill, PageScan, Positions, QueryError};
use crate::service::Service;

/// Reads a page and answers with it.
pub(super) async fn answer(
    service: &Service,
    client: Client,
    mut request: PageRequest,
    mut cursor: EventCursor,
) -> Result<Response<Body>, ApiError> {
    let (memory, limit) = (service.answers().hold(client.clone()), request.limit.unwrap_or(u64::MAX));
    // Dropped with this future when the client goes away.
    let guard = ClientGuard::default();
    let columns = request.columns.take();
    // A page of small columns may be full only after gigabytes of payloads.
    let may_take_long = cursor.is_filtered() || columns.is_some();
    let budget = may_take_long.then(|| guard.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX));
    let mut scan = PageScan::new(limit, budget);
    let mut page = Some(HeldText { text: vec![b'['], memory });
    let turn = move || page_turn(&mut scan, &mut cursor, &mut page, columns.as_ref()).transpose();
    let (page, more, positions) = service.reads().run(client, turn).await??;
    let cursor = service.cursor_key().seal(request.scope(), &positions);
    let mut response = json_text(Bytes::from_owner(page));
    if more {
        add_next_page(response.headers_mut(), &request.next_page(&cursor), &cursor);
    } else if request.order == Order::Ascending {
        // It is base64, which headers take.
        let _ = HeaderValue::from_str(&cursor).map(|cursor| response.headers_mut().insert(RESUME_CURSOR, cursor));
    }
    Ok(response)
}

/// Reads on. Returns the page when it is complete, whether there are more, and where they begin.
fn page_turn(
    scan: &mut PageScan,
    cursor: &mut EventCursor,
    page: &mut Option<HeldText>,
    columns: Option<&Columns>,
) -> Result<Option<(HeldText, bool, Positions)>, QueryError> {
    let Some(unfinished) = page.as_mut() else { return Ok(None) };
    let Some(more) = scan.turn(cursor, |event| append(unfinished, event, columns))? else { return Ok(None) };
    unfinished.text.extend_from_slice(b"]\n");
    Ok(page.take().map(|page| (page, more, cursor.positions().clone())))
}

fn append(page: &mut HeldText, event: &StoredEvent, columns: Option<&Columns>) -> Result<Fill, QueryError> {
    if page.text.len() > 1 {
        page.text.push(b',');
    }
    match columns {
        Some(columns) => columns.append_object(event, &mut page.text),
        None => append_event(&mut page.text, event, Layout::Verbatim),
    }
    if !page.memory.resize(page.text.capacity()) {
        return Err(QueryError::AnswersFull);
    }
    Ok(if page.text.len() < PAGE_BYTES_MAX { Fill::Room } else { Fill::Full })
}
