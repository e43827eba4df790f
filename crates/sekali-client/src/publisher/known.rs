//! Which events of a batch have keys that the server knows.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Batch, Client, ClientError};

/// The key of an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    topic: String,
    event_id: String,
}

impl Key {
    /// Whether an event may have it. The server names the fault of others when they are published.
    fn is_fit(&self) -> bool {
        let fits = |text: &str, max| (1..=max).contains(&text.len()) && !text.chars().any(char::is_control);
        !self.topic.starts_with('$') && fits(&self.topic, TOPIC_BYTES_MAX) && fits(&self.event_id, EVENT_ID_BYTES_MAX)
    }
}

/// Longest topic and longest event id, in bytes.
const TOPIC_BYTES_MAX: usize = 255;
const EVENT_ID_BYTES_MAX: usize = 512;

/// Events to keep of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those that the server knows: evidence, which would be stored in the place of the event that
    /// it conflicts with.
    Known,
    /// Those that it does not know: others need not be sent.
    Unknown,
}

/// The rest of a batch, and what was left out.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) batch: Batch,
    /// Evidence, as `file:line` with the reason.
    pub(super) unfit: Vec<(String, String)>,
    /// Number of events that are known already.
    pub(super) known: u64,
}

/// Asks the server which events of a batch it knows, and keeps those or the others. Elements that
/// have no key stay, and the server says what is wrong with them.
pub(super) async fn keep(client: &Client, batch: &Batch, keep: Keep) -> Result<Kept, ClientError> {
    let unexpected = |error: serde_json::Error| ClientError::Unexpected {
        url: client.url().to_string(),
        what: format!("events cannot be taken apart ({error})"),
    };
    let events: Vec<&RawValue> = serde_json::from_slice(&batch.body).map_err(unexpected)?;
    let key = |event: &RawValue| serde_json::from_str(event.get()).ok().filter(Key::is_fit);
    let keys = events.iter().enumerate().filter_map(|(index, event)| Some((index, key(event)?)));
    let (places, asked): (Vec<usize>, Vec<Key>) = keys.unzip();
    let mut known = vec![None; events.len()];
    for ((index, exists), key) in places.into_iter().zip(client.exists(&asked).await?).zip(asked) {
        if let Some(known) = known.get_mut(index) {
            *known = Some((exists, key));
        }
    }
    let (mut body, mut lines, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = Kept { batch: batch.clone(), unfit: Vec::new(), known: 0 };
    for (index, ((event, known), &line)) in events.into_iter().zip(known).zip(&batch.lines).enumerate() {
        match (keep, known) {
            (Keep::Known, Some((false, Key { topic, event_id }))) => {
                let reason = format!(
                    "evidence of a conflict with {event_id:?} of topic {topic:?}, which is not stored: import that first"
                );
                kept.unfit.push((batch.place_of(Some(index)), reason));
                continue;
            }
            (Keep::Unknown, Some((true, _))) => {
                kept.known += 1;
                continue;
            }
            _ => {}
        }
        bad.extend(batch.bad.iter().filter(|(at, _)| *at == index).map(|(_, reason)| (lines.len(), reason.clone())));
        body.push(if lines.is_empty() { b'[' } else { b',' });
        body.extend_from_slice(event.get().as_bytes());
        lines.push(line);
    }
    body.push(b']');
    kept.batch = Batch { body: body.into(), lines, bad, ..kept.batch };
    Ok(kept)
}
