//! Reading a page of events as JSON, and waiting for its first event.

use std::sync::Arc;

use sekali_store::{Order, StoredEvent};
use tokio::time::Instant;

use super::answer::{ApiError, HeldText, Layout, append_event};
use super::parameters::Parameters;
use super::route::Admitted;
use crate::clients::Client;
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX, WAIT_MAX, WAIT_MIN};
use crate::query::{ClientGuard, Columns, EventCursor, EventQuery, Fill, PageScan, Positions, QueryError};
use crate::service::{Service, TailPosition, Wait};
use crate::spent::{self, Stage};

/// The page to read.
pub(super) struct PageQuery {
    pub(super) query: Arc<EventQuery>,
    pub(super) order: Order,
    pub(super) after: Positions,
    /// Most events.
    pub(super) limit: u64,
    /// Only these fields of them.
    pub(super) columns: Option<Arc<Columns>>,
    /// How long to wait where there are none.
    pub(super) wait: Option<Wait>,
}

/// A page, whether there are more events, and where they begin. In ascending order, where there are
/// none, that is behind all events there are.
pub(super) struct EventPage {
    pub(super) text: HeldText,
    pub(super) more: bool,
    pub(super) positions: Positions,
}

/// How long to wait for events where there are none, by `wait`.
///
/// # Errors
/// It is no length of time, or out of range.
pub(super) fn parse_wait(request: &Admitted, parameters: &Parameters<'_>) -> Result<Option<Wait>, ApiError> {
    let Some(time) = parameters.time("wait", WAIT_MIN..=WAIT_MAX)? else { return Ok(None) };
    let lease = request.app.shared.gate.lease(&request.parts.headers, request.route.keys)?;
    Ok(Some(Wait { deadline: Instant::now() + time, lease }))
}

/// Reads a page. If it has to wait for events, a page without any is returned only when that is
/// over.
///
/// # Errors
/// Those of reading, and `overloaded` where too many wait.
pub(super) async fn read_page(service: &Service, client: Client, mut page: PageQuery) -> Result<EventPage, ApiError> {
    let _place = page.wait.as_ref().map(|_| service.tails().enter(client.clone())).transpose()?;
    loop {
        // First, so that the page sees all of them.
        let ends = TailPosition::now(service.readers());
        let mut read = read_once(service, client.clone(), &page).await?;
        let mut position = TailPosition::new(service.readers().len(), &read.positions);
        if !read.more && page.order == Order::Ascending {
            position.raise_to(&ends);
            read.positions.clone_from(position.positions());
        }
        let Some(wait) = page.wait.as_ref().filter(|_| read.text.text == b"[]\n") else { return Ok(read) };
        let goes_on = match read.more {
            true => Instant::now() < wait.deadline,
            false => spent::until(Stage::Wait, wait.for_event(service, &page.query, &position)).await,
        };
        if !goes_on {
            return Ok(read);
        }
        page.after = read.positions;
    }
}

async fn read_once(service: &Service, client: Client, page: &PageQuery) -> Result<EventPage, ApiError> {
    let mut cursor = service.events(Arc::clone(&page.query), page.order, page.after.clone());
    let memory = service.answers().hold(client.clone());
    // Dropped with this future when the client goes away.
    let guard = ClientGuard::default();
    let columns = page.columns.clone();
    // A page of small columns may be full only after gigabytes of payloads.
    let may_take_long = cursor.is_filtered() || columns.is_some();
    let budget = may_take_long.then(|| guard.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX));
    let mut scan = PageScan::new(page.limit, budget);
    let mut text = Some(HeldText { text: vec![b'['], memory });
    let turn = move || turn(&mut scan, &mut cursor, &mut text, columns.as_deref()).transpose();
    Ok(service.reads().run(client, turn).await??)
}

/// Reads on. Returns the page when it is complete.
fn turn(
    scan: &mut PageScan,
    cursor: &mut EventCursor,
    page: &mut Option<HeldText>,
    columns: Option<&Columns>,
) -> Result<Option<EventPage>, QueryError> {
    let Some(unfinished) = page.as_mut() else { return Ok(None) };
    let Some(more) = scan.turn(cursor, |event| append(unfinished, event, columns))? else { return Ok(None) };
    unfinished.text.extend_from_slice(b"]\n");
    Ok(page.take().map(|text| EventPage { text, more, positions: cursor.positions().clone() }))
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
