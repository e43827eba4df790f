//! Requests in JSON: names in lower camel case, ids in hex, numbers of 64 bits as text or number.

use std::borrow::Cow;

use sekali_store::limits::PAYLOAD_BYTES_MAX;
use sekali_wire::json::append_string;
use serde::de::IgnoredAny;

use super::protobuf::double;
use super::record::{Record, Resource, UID};
use super::{DEPTH_MAX, Sink, Unreadable, malformed};
use crate::identity::text_of;
use crate::protocols::Refusal;
use crate::protocols::json::{append_name, append_text, elements, member, members};

/// Reads all records of a body.
pub(super) fn read(body: &[u8], sink: &mut Sink<'_>) -> Result<(), Refusal> {
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error.to_string()))?;
    for resource_logs in elements(member(body, "resourceLogs").unwrap_or_default()) {
        let mut resource = Resource::default();
        let attributes = member(resource_logs, "resource").and_then(|resource| member(resource, "attributes"));
        let mut text = std::mem::take(&mut resource.attributes);
        let read = attributes_of(attributes, &mut text, &mut |name, text| resource.note(name, text));
        read.map_err(|wrong| malformed(&wrong.reason()))?;
        resource.attributes = text;
        for scope_logs in elements(member(resource_logs, "scopeLogs").unwrap_or_default()) {
            let about = scope(member(scope_logs, "scope").unwrap_or_default());
            let about = about.map_err(|wrong| malformed(&wrong.reason()))?;
            let mut record = Record::default();
            for raw in elements(member(scope_logs, "logRecords").unwrap_or_default()) {
                record.clear();
                let outcome = read_record(raw, &mut record);
                sink.push(&resource, &about, outcome.map(|()| &record), raw)?;
            }
        }
    }
    Ok(())
}

fn scope(scope: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut out = b"{".to_vec();
    for name in ["name", "version"] {
        if let Some(text) = member(scope, name).and_then(text_of).filter(|text| !text.is_empty()) {
            append_text(&mut out, name, &text);
        }
    }
    let mut attributes = Vec::new();
    attributes_of(member(scope, "attributes"), &mut attributes, &mut |_, _| {})?;
    if !attributes.is_empty() {
        append_name(&mut out, "attributes");
        out.extend_from_slice(&attributes);
        out.push(b'}');
    }
    if out.len() == 1 {
        return Ok(Vec::new());
    }
    out.push(b'}');
    Ok(out)
}

fn read_record(raw: &[u8], record: &mut Record) -> Result<(), Unreadable> {
    if raw.first() != Some(&b'{') {
        return Err(Unreadable::Malformed);
    }
    if raw.len() > PAYLOAD_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    for (name, value) in members(raw) {
        match name.as_ref() {
            "timeUnixNano" => record.time = number(value)?,
            "observedTimeUnixNano" => record.observed = number(value)?,
            "severityNumber" => record.severity = number(value)?,
            "severityText" => record.severity_text = text(value).into_owned(),
            "body" => any_value(value, &mut record.body, 0)?,
            "attributes" => {
                let mut attributes = std::mem::take(&mut record.attributes);
                attributes_of(Some(value), &mut attributes, &mut |name, text| {
                    if name == UID && !text.is_empty() {
                        record.uid = Some(text.to_owned());
                    }
                })?;
                record.attributes = attributes;
            }
            "droppedAttributesCount" => record.dropped = number(value)?,
            "flags" => record.flags = number(value)?,
            "traceId" => record.trace_id = text(value).to_ascii_lowercase(),
            "spanId" => record.span_id = text(value).to_ascii_lowercase(),
            "eventName" => record.event_name = text(value).into_owned(),
            _ => {}
        }
    }
    Ok(())
}

/// Writes a list of attributes as an object without its last brace. `note` is told those with text.
fn attributes_of(list: Option<&[u8]>, out: &mut Vec<u8>, note: &mut dyn FnMut(&str, &str)) -> Result<(), Unreadable> {
    for pair in elements(list.unwrap_or_default()) {
        if out.is_empty() {
            out.push(b'{');
        }
        let name = member(pair, "key").map(text).unwrap_or_default();
        let value = member(pair, "value").unwrap_or(b"null");
        append_name(out, &name);
        any_value(value, out, 1)?;
        if let Some(text) = member(value, "stringValue").and_then(text_of) {
            note(&name, &text);
        }
    }
    Ok(())
}

/// Writes an `AnyValue` as plain JSON. `null` and an empty object are no value.
fn any_value(value: &[u8], out: &mut Vec<u8>, depth: usize) -> Result<(), Unreadable> {
    if depth > DEPTH_MAX {
        return Err(Unreadable::TooDeep);
    }
    if out.len() > PAYLOAD_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let Some((name, value)) = members(value).find(|(name, _)| KINDS.contains(&name.as_ref())) else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    match name.as_ref() {
        "intValue" => out.extend_from_slice(signed(value)?.to_string().as_bytes()),
        "doubleValue" => double(out, text(value).parse().map_err(|_| Unreadable::Malformed)?),
        "arrayValue" => {
            out.push(b'[');
            for (at, value) in elements(member(value, "values").unwrap_or_default()).enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                any_value(value, out, depth + 1)?;
            }
            out.push(b']');
        }
        "kvlistValue" => {
            out.push(b'{');
            for pair in elements(member(value, "values").unwrap_or_default()) {
                append_name(out, &member(pair, "key").map(text).unwrap_or_default());
                any_value(member(pair, "value").unwrap_or(b"null"), out, depth + 1)?;
            }
            out.push(b'}');
        }
        "bytesValue" => {
            out.extend_from_slice(b"{\"base64\":");
            append_string(out, &text(value));
            out.push(b'}');
        }
        // A string or a boolean stands as it came.
        _ => out.extend_from_slice(value),
    }
    Ok(())
}

const KINDS: [&str; 7] =
    ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue"];

fn text(value: &[u8]) -> Cow<'_, str> {
    text_of(value).unwrap_or_default()
}

fn number(value: &[u8]) -> Result<u64, Unreadable> {
    text_of(value).unwrap_or(Cow::Borrowed("0")).parse().map_err(|_| Unreadable::Malformed)
}

fn signed(value: &[u8]) -> Result<i64, Unreadable> {
    text(value).parse().map_err(|_| Unreadable::Malformed)
}
