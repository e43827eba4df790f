//! `GET /conflicts`

use bytes::Bytes;
use hyper::header::HeaderValue;
use sekali_store::{CONFLICTS_TOPIC, Order, StoredEvent};
use sekali_wire::json::append_string;
use sekali_wire::timestamp::append_timestamp;

use super::events::without_cursor;
use crate::http::answer::{HeldText, RESUME_CURSOR, add_next_page, json_text};
use crate::http::event_query::parse_event_query;
use crate::http::route::{Admitted, Answer};
use crate::limits::{CONFLICTS_DEFAULT, CONFLICTS_MAX, PAGE_BYTES_MAX};
use crate::query::{Conflict, ConflictSources, CursorScope, Difference, Fill, Positions, QueryError};

/// Conflicts in the order they were found in, with both events and the members that differ.
pub(super) async fn conflicts(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let order = parameters.choose("order", &[("asc", Order::Ascending), ("desc", Order::Descending)])?;
    let limit = parameters.number("limit", CONFLICTS_MAX)?.unwrap_or(CONFLICTS_DEFAULT);
    let service = &request.app.shared.service;
    let scope = CursorScope { topic: Some(CONFLICTS_TOPIC), order };
    let after = match parameters.get("after") {
        Some(cursor) => service.cursor_key().open(scope, cursor)?,
        None => Positions::new(),
    };
    let page = HeldText { text: vec![b'['], memory: service.answers().hold(request.client()) };
    let mut count = 0;
    let append = move |page: &mut HeldText, conflict: &Conflict| {
        count += 1;
        append(page, conflict)?;
        Ok(if count < limit && page.text.len() < PAGE_BYTES_MAX { Fill::Room } else { Fill::Full })
    };
    let (mut page, read) = service.conflicts(request.client(), query, (order, after), page, append).await?;
    page.text.extend_from_slice(b"]\n");
    let cursor = service.cursor_key().seal(scope, &read.positions);
    let mut response = json_text(Bytes::from_owner(page));
    if read.more {
        let query = without_cursor(request.parts.uri.query().unwrap_or_default());
        add_next_page(response.headers_mut(), &format!("conflicts?{query}after={cursor}"), &cursor);
    } else if order == Order::Ascending {
        // It is base64, which headers take.
        let _ = HeaderValue::from_str(&cursor).map(|cursor| response.headers_mut().insert(RESUME_CURSOR, cursor));
    }
    Ok(response)
}

fn append(page: &mut HeldText, conflict: &Conflict) -> Result<(), QueryError> {
    if page.text.len() > 1 {
        page.text.push(b',');
    }
    append_conflict(&mut page.text, conflict);
    if page.memory.resize(page.text.capacity()) { Ok(()) } else { Err(QueryError::AnswersFull) }
}

fn append_conflict(out: &mut Vec<u8>, conflict: &Conflict) {
    let Conflict { sent, stored, stored_seq } = conflict;
    out.extend_from_slice(b"{\"topic\":");
    append_string(out, &sent.topic);
    out.extend_from_slice(b",\"event_id\":");
    append_string(out, &sent.event_id);
    out.extend_from_slice(b",\"stored\":{");
    match stored {
        Some(stored) => {
            append_side(out, stored);
            out.extend_from_slice(b",\"expired\":false}");
        }
        None => out.extend_from_slice(format!("\"seq\":{stored_seq},\"expired\":true}}").as_bytes()),
    }
    out.extend_from_slice(b",\"sent\":{");
    append_side(out, sent);
    out.extend_from_slice(b"},\"differences\":[");
    let sources = ConflictSources::of(conflict);
    let differences = conflict.differences(&sources);
    for (number, difference) in differences.listed.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        append_difference(out, difference);
    }
    out.extend_from_slice(format!("],\"differences_left_out\":{}", differences.left_out).as_bytes());
    if let Some(stored) = stored {
        let late = sent.received_at_ns.saturating_sub(stored.received_at_ns).max(0) / 1_000_000;
        out.extend_from_slice(format!(",\"late_seconds\":{}.{:03}", late / 1_000, late % 1_000).as_bytes());
    }
    out.push(b'}');
}

/// The part of an event that may differ, and when it came.
fn append_side(out: &mut Vec<u8>, event: &StoredEvent) {
    out.extend_from_slice(format!("\"seq\":{},\"timestamp\":\"", event.seq).as_bytes());
    append_timestamp(out, event.timestamp_ns);
    out.extend_from_slice(b"\",\"source\":");
    append_string(out, &event.source);
    out.extend_from_slice(b",\"received_at\":\"");
    append_timestamp(out, event.received_at_ns);
    out.extend_from_slice(b"\",\"payload\":");
    out.extend_from_slice(&event.payload);
}

fn append_difference(out: &mut Vec<u8>, difference: &Difference<'_>) {
    out.extend_from_slice(b"{\"path\":");
    append_string(out, &difference.path);
    for (name, value) in [("stored", difference.stored), ("sent", difference.sent)] {
        if let Some(value) = value {
            out.extend_from_slice(format!(",\"{name}\":").as_bytes());
            out.extend_from_slice(value);
        }
    }
    out.push(b'}');
}
