//! Live tails as Server-Sent Events (HTML standard, 9.2).

use hyper::header::HeaderName;
use sekali_store::StoredEvent;

use super::{Layout, append_event};
use crate::service::TailLayout;

/// The header in which a client that comes again says what it has seen.
pub(in crate::http) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The media type.
pub(in crate::http) const EVENT_STREAM: &str = "text/event-stream";

/// Each event as one message, whose id is the cursor behind it.
#[derive(Debug)]
pub(in crate::http) struct ServerSentEvents;

impl TailLayout for ServerSentEvents {
    fn event(&self, out: &mut Vec<u8>, event: &StoredEvent, cursor: &str) {
        append_id(out, cursor);
        out.extend_from_slice(b"data: ");
        append_event(out, event, Layout::OneLine);
        out.extend_from_slice(b"\n\n");
    }

    /// A comment, and an id without data: clients note it, and show nothing.
    fn alive(&self, out: &mut Vec<u8>, cursor: &str) {
        out.extend_from_slice(b":\n");
        append_id(out, cursor);
        out.push(b'\n');
    }

    fn behind(&self, out: &mut Vec<u8>, cursor: &str) {
        out.extend_from_slice(b"event: behind\n");
        append_id(out, cursor);
        // Cursors are base64, which JSON takes as it is.
        out.extend_from_slice(format!("data: {{\"cursor\":\"{cursor}\"}}\n\n").as_bytes());
    }
}

fn append_id(out: &mut Vec<u8>, cursor: &str) {
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(cursor.as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn no_event_can_end_its_own_message_or_begin_another() {
        let event = StoredEvent {
            seq: 7,
            received_at_ns: 0,
            topic: "t".to_owned(),
            event_id: "1\n\nid: x".to_owned(),
            timestamp_ns: 0,
            source: "\rdata: s".to_owned(),
            payload: b"{\n\n\"a\":\r1}".to_vec(),
        };
        let mut out = Vec::new();
        ServerSentEvents.event(&mut out, &event, "CURSOR");
        ServerSentEvents.alive(&mut out, "LATER");
        ServerSentEvents.behind(&mut out, "LATER");
        expect![[r#"
            id: CURSOR
            data: {"topic":"t","event_id":"1\n\nid: x","timestamp":"1970-01-01T00:00:00Z","source":"\rdata: s","payload":{  "a": 1},"seq":7,"received_at":"1970-01-01T00:00:00Z"}

            :
            id: LATER

            event: behind
            id: LATER
            data: {"cursor":"LATER"}

        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
