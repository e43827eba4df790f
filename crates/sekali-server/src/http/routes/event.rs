//! `GET /events/{topic}/{event_id}`

use crate::http::answer::{ApiError, Code, Layout, append_event, json_text};
use crate::http::guard::not_for;
use crate::http::route::{Admitted, Answer};

/// One event, by its key.
pub(super) async fn event(request: Box<Admitted>) -> Answer {
    request.parameters()?;
    let (topic, event_id) = (request.segment(0)?, request.segment(1)?);
    if !request.grant.is_for(&topic) {
        return Err(not_for(&topic));
    }
    let found = request.app.shared.service.find(request.client(), topic, event_id).await?;
    let event = found.ok_or_else(none_stored)?;
    let mut text = Vec::new();
    append_event(&mut text, &event, Layout::Verbatim);
    text.push(b'\n');
    Ok(json_text(text))
}

/// The error for a key without an event.
pub(super) fn none_stored() -> ApiError {
    ApiError::new(Code::NotFound, "no event with this topic and event id is stored")
}
