//! A stored event for tests.

use sekali_store::StoredEvent;

/// An event with this payload.
pub(crate) fn test_event(payload: &str) -> StoredEvent {
    StoredEvent {
        seq: 7,
        received_at_ns: 1_500_000_000,
        topic: "web.access".to_owned(),
        event_id: "a-1".to_owned(),
        timestamp_ns: 5,
        source: "host-07".to_owned(),
        payload: payload.as_bytes().to_vec(),
    }
}
