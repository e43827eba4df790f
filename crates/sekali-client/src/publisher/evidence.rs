//! Which conflicting events conflict with something that the server knows.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Batch, Client, ClientError, EventsFilter, EventsQuery};

#[derive(Deserialize)]
struct Key {
    topic: String,
    event_id: String,
}

/// The batch without the events whose key the server does not know, and these as `file:line` with
/// the reason. One that was published without what it conflicts with would be stored in its place.
pub(super) async fn keep_known(client: &Client, batch: &Batch) -> Result<(Batch, Vec<(String, String)>), ClientError> {
    let unexpected = |error: serde_json::Error| ClientError::Unexpected {
        url: client.url().to_string(),
        what: format!("evidence cannot be taken apart ({error})"),
    };
    let events: Vec<&RawValue> = serde_json::from_slice(&batch.body).map_err(unexpected)?;
    let (mut body, mut lines, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for ((index, event), &line) in events.into_iter().enumerate().zip(&batch.lines) {
        let Key { topic, event_id } = serde_json::from_str(event.get()).map_err(unexpected)?;
        if is_known(client, &topic, &event_id).await? {
            body.push(if lines.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(event.get().as_bytes());
            lines.push(line);
        } else {
            let reason = format!(
                "evidence of a conflict with {event_id:?} of topic {topic:?}, which is not stored: import that first"
            );
            left_out.push((batch.place_of(Some(index)), reason));
        }
    }
    body.push(b']');
    Ok((Batch { body: body.into(), lines, ..batch.clone() }, left_out))
}

async fn is_known(client: &Client, topic: &str, event_id: &str) -> Result<bool, ClientError> {
    let filter = EventsFilter::default().with("topic", topic).with("event_id", event_id);
    let query = EventsQuery { filter, limit: 1, ..EventsQuery::default() };
    Ok(!client.events(&query).await?.events.is_empty())
}
