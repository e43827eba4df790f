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
