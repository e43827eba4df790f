//! Log records, whichever encoding they came in, and the payloads that they become.

use sekali_store::limits::PAYLOAD_BYTES_MAX;

use super::Unreadable;
use crate::protocols::json::{append_name, append_text};

/// A log record. Texts are empty and numbers 0 where it has none.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) time: u64,
    pub(super) observed: u64,
    pub(super) severity: u64,
    pub(super) severity_text: String,
    /// JSON.
    pub(super) body: Vec<u8>,
    /// A JSON object without its last brace; empty if there are none.
    pub(super) attributes: Vec<u8>,
    pub(super) dropped: u64,
    pub(super) flags: u64,
    /// Hex digits.
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) event_name: String,
    /// The attribute `log.record.uid`.
    pub(super) uid: Option<String>,
}

/// The resource that records come from.
#[derive(Debug, Default)]
pub(super) struct Resource {
    /// A JSON object without its last brace; empty if it has no attributes.
    pub(super) attributes: Vec<u8>,
    pub(super) service: Option<String>,
    pub(super) host: Option<String>,
}

/// The attribute that has the id of a record.
pub(super) const UID: &str = "log.record.uid";

impl Record {
    /// Empties it for the next one.
    pub(super) fn clear(&mut self) {
        let (mut body, mut attributes) = (std::mem::take(&mut self.body), std::mem::take(&mut self.attributes));
        body.clear();
        attributes.clear();
        *self = Self { body, attributes, ..Self::default() };
    }

    /// Its own time, if it has one.
    pub(super) fn time_ns(&self) -> Option<i64> {
        let time = if self.time > 0 { self.time } else { self.observed };
        i64::try_from(time).ok().filter(|&time| time > 0 && time < i64::MAX)
    }

    /// Writes the payload, with names of the OpenTelemetry log data model. `scope` is a JSON object,
    /// or empty.
    pub(super) fn write(&self, resource: &Resource, scope: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let parts = [&self.body, &self.attributes, &resource.attributes].map(Vec::len);
        if parts.iter().sum::<usize>() + scope.len() > PAYLOAD_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        out.push(b'{');
        if !self.body.is_empty() {
            append_name(out, "body");
            out.extend_from_slice(&self.body);
        }
        number(out, "severity_number", self.severity);
        text(out, "severity_text", &self.severity_text);
        object(out, "attributes", &self.attributes);
        number(out, "dropped_attributes_count", self.dropped);
        text(out, "trace_id", &self.trace_id);
        text(out, "span_id", &self.span_id);
        number(out, "flags", self.flags);
        text(out, "event_name", &self.event_name);
        if self.observed > 0 {
            // Beyond the whole numbers that every reader of JSON keeps.
            append_text(out, "observed_time_unix_nano", &self.observed.to_string());
        }
        object(out, "resource", &resource.attributes);
        if !scope.is_empty() {
            append_name(out, "scope");
            out.extend_from_slice(scope);
        }
        out.push(b'}');
        Ok(())
    }
}

impl Resource {
    /// Notes an attribute that has text.
    pub(super) fn note(&mut self, name: &str, text: &str) {
        match name {
            "service.name" => self.service = Some(text.to_owned()).filter(|text| !text.is_empty()),
            "host.name" => self.host = Some(text.to_owned()),
            "service.instance.id" if self.host.is_none() => self.host = Some(text.to_owned()),
            _ => {}
        }
    }
}

fn number(out: &mut Vec<u8>, name: &str, number: u64) {
    if number > 0 {
        append_name(out, name);
        out.extend_from_slice(number.to_string().as_bytes());
    }
}

fn text(out: &mut Vec<u8>, name: &str, text: &str) {
    if !text.is_empty() {
        append_text(out, name, text);
    }
}

fn object(out: &mut Vec<u8>, name: &str, open: &[u8]) {
    if !open.is_empty() {
        append_name(out, name);
        out.extend_from_slice(open);
        out.push(b'}');
    }
}
