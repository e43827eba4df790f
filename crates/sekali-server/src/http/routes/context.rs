//! `GET /events/{topic}/{event_id}/context`

use bytes::Bytes;
use sekali_store::StoredEvent;

use super::event::none_stored;
use crate::http::answer::{ApiError, HeldText, Layout, append_event, json_text, wrong_parameter};
use crate::http::event_query::parse_event_query;
use crate::http::guard::not_for;
use crate::http::parameters::Parameters;
use crate::http::reading::{ReadSummary, columns};
use crate::http::route::{Admitted, Answer};
use crate::limits::{CONTEXT_DEFAULT, CONTEXT_FIELDS_MAX, CONTEXT_MAX};
use crate::query::{Columns, Field, QueryError};
use crate::service::{Context, ContextQuery};

/// One event and those around it.
pub(super) async fn context(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let events = parse_event_query(&parameters, &request.grant)?;
    let (topic, event_id) = (request.segment(0)?, request.segment(1)?);
    if !request.grant.is_for(&topic) {
        return Err(not_for(&topic));
    }
    let (same, columns) = (same(&parameters)?, columns(&parameters)?);
    let (before, after) = (number(&parameters, "before")?, number(&parameters, "after")?);
    let service = &request.app.shared.service;
    let wanted = ContextQuery { topic, event_id, events, same, before, after };
    let found = service.context(request.client(), wanted).await?.ok_or_else(none_stored)?;
    let mut answer = HeldText { text: Vec::new(), memory: service.answers().hold(request.client()) };
    append_context(&mut answer.text, &found, columns.as_ref())?;
    if !answer.memory.resize(answer.text.capacity()) {
        return Err(QueryError::AnswersFull.into());
    }
    Ok(json_text(Bytes::from_owner(answer)))
}

fn same(parameters: &Parameters<'_>) -> Result<Vec<Field>, ApiError> {
    let Some(text) = parameters.get("same") else { return Ok(Vec::new()) };
    Field::parse_list(text, CONTEXT_FIELDS_MAX).map_err(|reason| wrong_parameter("same", &reason, &[]))
}

/// How many events, which may be none.
fn number(parameters: &Parameters<'_>, name: &'static str) -> Result<usize, ApiError> {
    match parameters.get(name) {
        Some("0") => Ok(0),
        _ => Ok(parameters.number(name, CONTEXT_MAX)?.unwrap_or(CONTEXT_DEFAULT) as usize),
    }
}

fn append_context(out: &mut Vec<u8>, found: &Context, columns: Option<&Columns>) -> Result<(), ApiError> {
    let Context { event, before, after, time, .. } = found;
    out.extend_from_slice(b"{\"before\":[");
    append_list(out, before.events.iter().rev(), columns);
    out.extend_from_slice(b"],\"event\":");
    append(out, event, columns);
    out.extend_from_slice(b",\"after\":[");
    append_list(out, after.events.iter(), columns);
    out.push(b']');
    let read = ReadSummary::new(before.read + after.read, *time);
    let read = serde_json::to_string(&read).map_err(|error| ApiError::internal(&error))?;
    let (more_before, more_after, complete) = (before.more, after.more, !before.is_cut && !after.is_cut);
    out.extend_from_slice(
        format!(
            ",\"more_before\":{more_before},\"more_after\":{more_after},\"complete\":{complete},\"read\":{read}}}\n"
        )
        .as_bytes(),
    );
    Ok(())
}

fn append_list<'e>(out: &mut Vec<u8>, events: impl Iterator<Item = &'e StoredEvent>, columns: Option<&Columns>) {
    for (number, event) in events.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        append(out, event, columns);
    }
}

fn append(out: &mut Vec<u8>, event: &StoredEvent, columns: Option<&Columns>) {
    match columns {
        Some(columns) => columns.append_object(event, out),
        None => append_event(out, event, Layout::Verbatim),
    }
}
