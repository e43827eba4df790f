//! Events, borrowed and owned.

/// An event as it is published, borrowed. Whoever makes one has checked it against
/// [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// First half of the key.
    pub topic: &'a str,
    /// Second half of the key.
    pub event_id: &'a str,
    /// When it happened, by the producer's word: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamp_ns: i64,
    /// Who sent it.
    pub source: &'a str,
    /// JSON text of the payload; the engine never looks inside.
    pub payload: &'a [u8],
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Position in its partition, from 1.
    pub seq: u64,
    /// When its commit was made: nanoseconds since 1970-01-01T00:00:00Z; never decreases along a
    /// partition.
    pub received_at_ns: i64,
    /// First half of the key.
    pub topic: String,
    /// Second half of the key.
    pub event_id: String,
    /// When it happened, by the producer's word: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamp_ns: i64,
    /// Who sent it.
    pub source: String,
    /// JSON text of the payload.
    pub payload: Vec<u8>,
}

/// A stored event, borrowed from where it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventView<'a> {
    /// Position in its partition, from 1.
    pub seq: u64,
    /// When its commit was made: nanoseconds since 1970-01-01T00:00:00Z.
    pub received_at_ns: i64,
    /// First half of the key.
    pub topic: &'a str,
    /// Second half of the key.
    pub event_id: &'a str,
    /// When it happened, by the producer's word: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamp_ns: i64,
    /// Who sent it.
    pub source: &'a str,
    /// Its content.
    pub payload: &'a [u8],
}

/// Columns that a reader does not look at. They may be empty in the events it is handed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// The ids of events.
    pub event_ids: bool,
    /// Their sources.
    pub sources: bool,
    /// Their payloads.
    pub payloads: bool,
}

impl EventView<'_> {
    /// The event on its own.
    pub fn to_event(self) -> StoredEvent {
        let Self { seq, received_at_ns, topic, event_id, timestamp_ns, source, payload } = self;
        StoredEvent::new(seq, received_at_ns, &EventRef { topic, event_id, timestamp_ns, source, payload })
    }
}

impl StoredEvent {
    /// The same, borrowed.
    pub fn view(&self) -> EventView<'_> {
        let EventRef { topic, event_id, timestamp_ns, source, payload } = self.as_ref();
        EventView { seq: self.seq, received_at_ns: self.received_at_ns, topic, event_id, timestamp_ns, source, payload }
    }

    /// The event as it was published.
    pub fn as_ref(&self) -> EventRef<'_> {
        EventRef {
            topic: &self.topic,
            event_id: &self.event_id,
            timestamp_ns: self.timestamp_ns,
            source: &self.source,
            payload: &self.payload,
        }
    }

    pub(crate) fn new(seq: u64, received_at_ns: i64, event: &EventRef<'_>) -> Self {
        Self {
            seq,
            received_at_ns,
            topic: event.topic.to_owned(),
            event_id: event.event_id.to_owned(),
            timestamp_ns: event.timestamp_ns,
            source: event.source.to_owned(),
            payload: event.payload.to_vec(),
        }
    }
}

/// The topic that keeps events whose key was known with different content.
pub const CONFLICTS_TOPIC: &str = "$conflicts";

/// Whether clients may not publish to `topic`, and see it only when they ask for it by name.
pub fn is_reserved(topic: &str) -> bool {
    topic.starts_with('$')
}
