//! The rules of each field of an event.

use sekali_store::is_reserved;
use sekali_store::limits::{EVENT_ID_BYTES_MAX, PAYLOAD_BYTES_MAX, SOURCE_BYTES_MAX, TOPIC_BYTES_MAX};

use sekali_wire::json::depth;
use sekali_wire::limits::PAYLOAD_DEPTH_MAX;

/// Why a field is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The problem and the remedy.
    pub(super) reason: String,
    /// Whether the event is only too large.
    pub(super) too_large: bool,
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self { reason, too_large: false }
    }
}

/// A topic: 1 to [`TOPIC_BYTES_MAX`] bytes, no control characters, not reserved.
pub(super) fn check_topic(topic: &str) -> Result<(), Wrong> {
    if is_reserved(topic) {
        return Err("topics that begin with `$` are reserved".to_owned().into());
    }
    check_text(topic, 1, TOPIC_BYTES_MAX)
}

/// An event id: 1 to [`EVENT_ID_BYTES_MAX`] bytes, no control characters.
pub(super) fn check_event_id(event_id: &str) -> Result<(), Wrong> {
    check_text(event_id, 1, EVENT_ID_BYTES_MAX)
}

/// A source: up to [`SOURCE_BYTES_MAX`] bytes, no control characters.
pub(super) fn check_source(source: &str) -> Result<(), Wrong> {
    check_text(source, 0, SOURCE_BYTES_MAX)
}

/// A payload, given as valid JSON text: an object of at most [`PAYLOAD_BYTES_MAX`] bytes, nested at
/// most [`PAYLOAD_DEPTH_MAX`] deep.
pub(super) fn check_payload(payload: &str) -> Result<(), Wrong> {
    if !payload.starts_with('{') {
        return Err(format!("must be an object, not {}", kind(payload)).into());
    }
    if payload.len() > PAYLOAD_BYTES_MAX {
        let reason = format!("has {} bytes; at most {PAYLOAD_BYTES_MAX} are allowed", payload.len());
        return Err(Wrong { reason, too_large: true });
    }
    if !depth::is_at_most(payload, PAYLOAD_DEPTH_MAX) {
        return Err(format!("is nested too deep; at most {PAYLOAD_DEPTH_MAX} levels are allowed").into());
    }
    Ok(())
}

/// The type of a JSON value, by its first byte.
pub(super) fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn check_text(text: &str, min: usize, max: usize) -> Result<(), Wrong> {
    if text.len() < min {
        return Err("must not be empty".to_owned().into());
    }
    if text.len() > max {
        return Err(format!("has {} bytes; at most {max} are allowed", text.len()).into());
    }
    if !is_plain(text) && text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned().into());
    }
    Ok(())
}

/// Whether `text` is ASCII without control characters. Looks at every byte without an early exit,
/// so that many are compared at once.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |is_plain, byte| is_plain & matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn control_characters_are_found_wherever_they_are(text in "[\\x00-\u{ff}]{1,40}") {
            prop_assert_eq!(check_text(&text, 1, 100).is_err(), text.chars().any(char::is_control));
        }
    }
}
