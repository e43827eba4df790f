//! One stored event as bytes.
//!
//! ```text
//! offset size
//!      0    4  length of the row, these 24 bytes included
//!      4    2  length of the topic
//!      6    2  length of the event id
//!      8    2  length of the source
//!     10    2  zero
//!     12    4  length of the payload
//!     16    8  timestamp, nanoseconds since 1970-01-01T00:00:00Z, signed
//!     24       topic, event id, source, payload
//! ```
//!
//! A row does not hold its seq: that is the first seq of its block plus its place in it.

use crate::bytes::Fields;
use crate::event::EventRef;

/// Bytes of a row besides its texts.
pub(crate) const HEADER_BYTES: usize = 24;

/// Bytes of the row of `event`.
pub(crate) fn len(event: &EventRef<'_>) -> usize {
    HEADER_BYTES + event.topic.len() + event.event_id.len() + event.source.len() + event.payload.len()
}

/// Appends `event` to `out`. The caller has checked the lengths.
pub(crate) fn encode(event: &EventRef<'_>, out: &mut Vec<u8>) {
    let len = len(event);
    out.reserve(len);
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(&(event.topic.len() as u16).to_le_bytes());
    out.extend_from_slice(&(event.event_id.len() as u16).to_le_bytes());
    out.extend_from_slice(&(event.source.len() as u16).to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&(event.payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&event.timestamp_ns.to_le_bytes());
    out.extend_from_slice(event.topic.as_bytes());
    out.extend_from_slice(event.event_id.as_bytes());
    out.extend_from_slice(event.source.as_bytes());
    out.extend_from_slice(event.payload);
}

/// Takes one row off the front of `fields`; `None` where the bytes are not a row.
pub(crate) fn decode<'a>(fields: &mut Fields<'a>) -> Option<EventRef<'a>> {
    let len = fields.u32()? as usize;
    let mut row = Fields::new(fields.take(len.checked_sub(4)?)?);
    let (topic, event_id, source) = (row.u16()?, row.u16()?, row.u16()?);
    let zero = row.u16()?;
    let payload = row.u32()?;
    let timestamp_ns = row.i64()?;
    let event = EventRef {
        timestamp_ns,
        topic: row.str(topic.into())?,
        event_id: row.str(event_id.into())?,
        source: row.str(source.into())?,
        payload: row.take(payload as usize)?,
    };
    (zero == 0 && row.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trip(topic in ".{1,60}", event_id in ".{1,99}", source in ".{0,60}", payload: Vec<u8>, timestamp_ns: i64) {
            let event = EventRef { topic: &topic, event_id: &event_id, timestamp_ns, source: &source, payload: &payload };
            let mut bytes = Vec::new();
            encode(&event, &mut bytes);
            encode(&event, &mut bytes);
            let mut fields = Fields::new(&bytes);
            prop_assert_eq!(decode(&mut fields), Some(event));
            prop_assert_eq!(decode(&mut fields), Some(event));
            prop_assert!(fields.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = decode(&mut Fields::new(&bytes));
        }
    }
}
