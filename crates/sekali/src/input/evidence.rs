//! Evidence of conflicts, as an export has it, and what it is evidence of.
//!
//! Clients may not publish to the topic that keeps evidence. But a conflicting event that is
//! published again makes the same evidence again: so importing evidence is publishing the event
//! that it keeps, where the event that it conflicts with is known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use sekali_wire::CONFLICTS_TOPIC;

/// An event of the topic that keeps evidence.
#[derive(Deserialize)]
struct Evidence<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    #[serde(borrow)]
    source: &'a RawValue,
    #[serde(borrow)]
    payload: Kept<'a>,
}

/// The event that it keeps.
#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    topic: &'a RawValue,
    #[serde(borrow)]
    event_id: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// The event that conflicted, if `event` is evidence of it.
pub(super) fn conflicting(event: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(event, CONFLICTS_TOPIC.as_bytes())?;
    let evidence: Evidence<'_> =
        serde_json::from_slice(event).ok().filter(|event: &Evidence<'_>| event.topic == CONFLICTS_TOPIC)?;
    let Evidence { timestamp, source, payload: Kept { topic, event_id, payload }, .. } = evidence;
    let text = format!(
        "{{\"topic\":{topic},\"event_id\":{event_id},\"timestamp\":{timestamp},\"source\":{source},\"payload\":{payload}}}"
    );
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_is_that_of_the_store() {
        assert_eq!(CONFLICTS_TOPIC, sekali_store::CONFLICTS_TOPIC);
    }

    #[test]
    fn evidence_becomes_the_event_that_conflicted_and_nothing_else_does() {
        let evidence = br#"{"topic":"$conflicts","event_id":"0af","timestamp":"2025-01-01T00:00:00Z","source":"s","payload":{"topic":"t\u00e9","event_id":"1","stored_seq":7,"payload":{"a": 1.0}},"seq":9,"received_at":"x"}"#;
        assert_eq!(
            String::from_utf8(conflicting(evidence).unwrap()).unwrap(),
            r#"{"topic":"t\u00e9","event_id":"1","timestamp":"2025-01-01T00:00:00Z","source":"s","payload":{"a": 1.0}}"#
        );
        for other in [
            r#"{"topic":"t","event_id":"1","timestamp":"z","source":"s","payload":{"topic":"$conflicts"}}"#,
            r#"{"topic":"$conflicts","event_id":"1","timestamp":"z","source":"s","payload":{}}"#,
            "$conflicts",
        ] {
            assert_eq!(conflicting(other.as_bytes()), None);
        }
    }
}
