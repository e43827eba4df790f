//! Push requests in JSON, also of the form that Loki had before 1.0.

use serde::de::IgnoredAny;

use super::labels::Labels;
use super::{Entry, Push};
use crate::identity::text_of;
use crate::ingest::{Drafts, OnInvalid};
use crate::protocols::json::{elements, member, members};
use crate::protocols::{Refusal, times};

pub(super) fn read(body: &[u8], push: &Push, drafts: &mut Drafts) -> Result<(), Refusal> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
        return push.broken(&format!("the body is not JSON: {error}"), body, drafts);
    }
    let Some(streams) = member(body, "streams").filter(|streams| streams.starts_with(b"[")) else {
        return push.broken("the body has no array `streams`", body, drafts);
    };
    for stream in elements(streams) {
        let labels = match (member(stream, "stream"), member(stream, "labels").and_then(text_of)) {
            (Some(object), _) => Labels::of_json(object),
            (None, Some(selector)) => match Labels::of_selector(&selector) {
                Some(labels) => labels,
                None => {
                    push.broken("the labels of a stream cannot be read", stream, drafts)?;
                    continue;
                }
            },
            (None, None) => Labels::of_json(b"{}"),
        };
        for value in elements(member(stream, "values").unwrap_or_default()) {
            let mut parts = elements(value);
            add(&labels, [parts.next(), parts.next(), parts.next()], value, push, drafts)?;
        }
        for entry in elements(member(stream, "entries").unwrap_or_default()) {
            let parts = [member(entry, "ts"), member(entry, "line"), member(entry, "structuredMetadata")];
            add(&labels, parts, entry, push, drafts)?;
        }
    }
    Ok(())
}

/// Adds an entry by its parts: time, line and metadata.
fn add(
    labels: &Labels,
    parts: [Option<&[u8]>; 3],
    raw: &[u8],
    push: &Push,
    drafts: &mut Drafts,
) -> Result<(), Refusal> {
    let [time, line, metadata] = parts;
    let line = line.filter(|line| line.starts_with(b"\"")).and_then(text_of);
    let is_flat = members(metadata.unwrap_or_default()).all(|(_, value)| value.starts_with(b"\""));
    let wrong = match (time, &line) {
        (Some(time), Some(_)) if time.starts_with(b"\"") && is_flat => None,
        (Some(time), Some(_)) if time.starts_with(b"\"") => Some("structured metadata must be strings"),
        (_, Some(_)) => Some("the time must be nanoseconds since 1970 as a string"),
        (_, None) => Some("the line must be a string"),
    };
    let topic = labels.topic.as_deref().unwrap_or(super::TOPIC);
    if let Some(reason) = wrong {
        return Ok(drafts.invalid(topic, None, reason.to_owned(), OnInvalid::Quarantine, raw)?);
    }
    let entry = Entry {
        time_ns: time.and_then(times::of_json),
        line: line.as_deref().unwrap_or_default(),
        metadata: metadata.filter(|metadata| members(metadata).next().is_some()).unwrap_or_default(),
    };
    push.push(labels, &entry, raw, drafts)
}
