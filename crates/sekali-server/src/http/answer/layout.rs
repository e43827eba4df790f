//! How an answer lays events out.

use sekali_store::StoredEvent;

use super::media::{CSV, NDJSON};
use super::{Layout, append_event};
use sekali_wire::csv;
use sekali_wire::timestamp::append_timestamp;

/// Layouts of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum LineLayout {
    /// An event a line, as JSON.
    Ndjson,
    /// An event a row, below a header.
    Csv,
}

impl LineLayout {
    /// The media type.
    pub(in crate::http) fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => NDJSON,
            Self::Csv => CSV,
        }
    }

    /// The text above the events.
    pub(in crate::http) fn header(self) -> &'static str {
        match self {
            Self::Ndjson => "",
            Self::Csv => csv::HEADER,
        }
    }

    /// Writes an event to the end of `out`.
    pub(in crate::http) fn append(self, out: &mut Vec<u8>, event: &StoredEvent) {
        match self {
            Self::Ndjson => {
                append_event(out, event, Layout::OneLine);
                out.push(b'\n');
            }
            Self::Csv => append_csv(out, event),
        }
    }
}

fn append_csv(out: &mut Vec<u8>, event: &StoredEvent) {
    let (mut timestamp, mut received_at) = (Vec::new(), Vec::new());
    append_timestamp(&mut timestamp, event.timestamp_ns);
    append_timestamp(&mut received_at, event.received_at_ns);
    let seq = event.seq.to_string();
    let (topic, event_id, source) = (event.topic.as_bytes(), event.event_id.as_bytes(), event.source.as_bytes());
    csv::append_row(out, [topic, event_id, &timestamp, source, &event.payload, seq.as_bytes(), &received_at]);
}
