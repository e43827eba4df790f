//! One line of what a server sends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ExportError;

/// A stored event, as the server says it.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) topic: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) event_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) timestamp: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) source: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    /// Within what SQLite and Parquet can say.
    pub(super) seq: i64,
    #[serde(borrow)]
    pub(super) received_at: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// The payload's text.
    pub(super) fn payload(&self) -> &'a str {
        self.payload.get()
    }
}

/// A time as exports have it: with nine digits behind the second, so that times that are compared
/// as text are in order. The server leaves zeros out.
pub(super) fn sortable(time: &str) -> Cow<'_, str> {
    let Some(digits) = time.strip_suffix('Z') else { return time.into() };
    let (second, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() == 9 { time.into() } else { format!("{second}.{fraction:0<9}Z").into() }
}

/// Appends a line to `out`, with times that sort and everything else byte for byte.
pub(super) fn append_sortable(line: &[u8], out: &mut Vec<u8>) -> Result<(), ExportError> {
    #[derive(Deserialize)]
    struct Times<'a> {
        #[serde(borrow)]
        timestamp: &'a RawValue,
        #[serde(borrow)]
        received_at: &'a RawValue,
    }
    let times: Times<'_> = serde_json::from_slice(line).map_err(|error| ExportError::NotAnEvent(error.to_string()))?;
    let mut rest = 0;
    let mut places = [times.timestamp, times.received_at].map(|raw| {
        // Both are pieces of the line.
        (raw.get().as_ptr() as usize - line.as_ptr() as usize, raw.get())
    });
    places.sort_unstable();
    for (at, quoted) in places {
        out.extend_from_slice(line.get(rest..at).unwrap_or_default());
        let time = quoted.trim_matches('"');
        out.push(b'"');
        out.extend_from_slice(sortable(time).as_bytes());
        out.push(b'"');
        rest = at + quoted.len();
    }
    out.extend_from_slice(line.get(rest..).unwrap_or_default());
    Ok(())
}

/// Hands each event of `lines` to `visit`.
pub(super) fn each_event(
    lines: &[u8],
    mut visit: impl FnMut(&Event<'_>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let event = serde_json::from_slice(line).map_err(|error| ExportError::NotAnEvent(error.to_string()))?;
        visit(&event)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_text() {
        let times = [
            "2025-10-24T21:00:00Z",
            "2025-10-24T21:00:00.000000001Z",
            "2025-10-24T21:00:00.5Z",
            "2025-10-24T21:00:01Z",
        ];
        let written: Vec<_> = times.iter().map(|time| sortable(time)).collect();
        assert!(written.is_sorted(), "{written:?}");
        assert_eq!(written[0], "2025-10-24T21:00:00.000000000Z");
        assert_eq!(written[2], "2025-10-24T21:00:00.500000000Z");
    }

    #[test]
    fn nothing_but_times_is_changed_in_a_line() {
        let line = r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":{"timestamp": "2025-10-24T21:00:00Z", "a":1.0},"seq":1,"received_at":"2025-10-24T21:00:00.25Z"}"#;
        let mut out = Vec::new();
        append_sortable(line.as_bytes(), &mut out).unwrap();
        expect_test::expect![[r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24T21:00:00.000000000Z","source":"s","payload":{"timestamp": "2025-10-24T21:00:00Z", "a":1.0},"seq":1,"received_at":"2025-10-24T21:00:00.250000000Z"}"#]].assert_eq(&String::from_utf8(out).unwrap());
    }
}
