//! Stored events as JSON text.

use sekali_store::StoredEvent;

use sekali_wire::json::append_string;
use sekali_wire::timestamp::append_timestamp;

/// How payloads are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Layout {
    /// Byte for byte as published.
    Verbatim,
    /// As published, but on one line: a line break in JSON is white space, and becomes a space.
    OneLine,
}

/// Writes an event to the end of `out`.
pub(in crate::http) fn append_event(out: &mut Vec<u8>, event: &StoredEvent, layout: Layout) {
    out.extend_from_slice(b"{\"topic\":");
    append_string(out, &event.topic);
    out.extend_from_slice(b",\"event_id\":");
    append_string(out, &event.event_id);
    out.extend_from_slice(b",\"timestamp\":\"");
    append_timestamp(out, event.timestamp_ns);
    out.extend_from_slice(b"\",\"source\":");
    append_string(out, &event.source);
    out.extend_from_slice(b",\"payload\":");
    let payload = out.len();
    out.extend_from_slice(&event.payload);
    if layout == Layout::OneLine {
        one_line(out, payload);
    }
    out.extend_from_slice(b",\"seq\":");
    out.extend_from_slice(event.seq.to_string().as_bytes());
    out.extend_from_slice(b",\"received_at\":\"");
    append_timestamp(out, event.received_at_ns);
    out.extend_from_slice(b"\"}");
}

/// Makes the JSON from `begin` on one line: a line break outside of strings is white space.
pub(super) fn one_line(out: &mut [u8], begin: usize) {
    let breaks = out.iter_mut().skip(begin).filter(|byte| matches!(byte, b'\n' | b'\r'));
    breaks.for_each(|byte| *byte = b' ');
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn json(layout: Layout) -> String {
        let event = StoredEvent {
            seq: 7,
            received_at_ns: 1_500_000_000,
            topic: "a\"b".to_owned(),
            event_id: "é".to_owned(),
            timestamp_ns: -1,
            source: String::new(),
            payload: b"{\n\t\"n\": 1.50,\r\n\"s\":\"\\n\" }".to_vec(),
        };
        let mut out = Vec::new();
        append_event(&mut out, &event, layout);
        String::from_utf8(out).unwrap().replace('\r', "␍").replace('\t', "␉")
    }

    #[test]
    fn payloads_stay_as_they_are() {
        expect![[r#"
            {"topic":"a\"b","event_id":"é","timestamp":"1969-12-31T23:59:59.999999999Z","source":"","payload":{
            ␉"n": 1.50,␍
            "s":"\n" },"seq":7,"received_at":"1970-01-01T00:00:01.5Z"}"#]]
        .assert_eq(&json(Layout::Verbatim));
    }

    #[test]
    fn an_event_on_a_line_has_no_line_breaks() {
        expect![[
            r#"{"topic":"a\"b","event_id":"é","timestamp":"1969-12-31T23:59:59.999999999Z","source":"","payload":{ ␉"n": 1.50,  "s":"\n" },"seq":7,"received_at":"1970-01-01T00:00:01.5Z"}"#
        ]]
        .assert_eq(&json(Layout::OneLine));
    }
}
