//! An event as it is written in JSON.

use std::borrow::Cow;

use sekali_store::EventRef;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::fields;
use sekali_wire::timestamp::parse_timestamp;

/// The five fields of an event, borrowed from the body.
///
/// The server adds `seq` and `received_at` to answers. They are ignored here, so that an export can
/// be published again. Any other member is refused, and so is a repeated one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireEvent<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(rename = "seq")]
    _seq: Option<IgnoredAny>,
    #[serde(rename = "received_at")]
    _received_at: Option<IgnoredAny>,
}

impl WireEvent<'_> {
    /// The event, if every field is valid.
    pub(super) fn check(&self) -> Option<EventRef<'_>> {
        fields::check_topic(&self.topic).ok()?;
        fields::check_event_id(&self.event_id).ok()?;
        fields::check_source(&self.source).ok()?;
        let payload = self.payload.get();
        fields::check_payload(payload).ok()?;
        Some(EventRef {
            topic: &self.topic,
            event_id: &self.event_id,
            timestamp_ns: parse_timestamp(&self.timestamp).ok()?,
            source: &self.source,
            payload: payload.as_bytes(),
        })
    }
}
