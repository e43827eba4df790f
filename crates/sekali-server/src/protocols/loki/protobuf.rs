//! Push requests in Protocol Buffers. The numbers are those of Loki's `push.proto`.

use super::labels::Labels;
use super::{Entry, Push};
use crate::ingest::Drafts;
use crate::protocols::Refusal;
use crate::protocols::json::append_text;
use crate::protocols::protobuf::{Malformed, Message};

pub(super) fn read(body: &[u8], push: &Push, drafts: &mut Drafts) -> Result<(), Refusal> {
    // Nothing is added before all of it was read: half a request would be repeated as a whole.
    if check(body).is_err() {
        return push.broken("the body is no PushRequest", body, drafts);
    }
    let mut request = Message::new(body);
    while let Ok(Some((field, value))) = request.next() {
        if field == 1 {
            stream(value.bytes().unwrap_or_default(), push, drafts)?;
        }
    }
    Ok(())
}

/// Whether every message that is read later is one.
fn check(body: &[u8]) -> Result<(), Malformed> {
    let mut request = Message::new(body);
    while let Some((field, value)) = request.next()? {
        if field != 1 {
            continue;
        }
        let mut stream = Message::new(value.bytes()?);
        while let Some((field, value)) = stream.next()? {
            match field {
                1 => drop(value.text()?),
                2 => read_entry(value.bytes()?, &mut Vec::new()).map(drop)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn stream(message: &[u8], push: &Push, drafts: &mut Drafts) -> Result<(), Refusal> {
    let (mut fields, mut selector) = (Message::new(message), "");
    while let Ok(Some((field, value))) = fields.next() {
        if field == 1 {
            selector = value.text().unwrap_or_default();
        }
    }
    let Some(labels) = Labels::of_selector(selector) else {
        return push.broken("the labels of a stream cannot be read", message, drafts);
    };
    let (mut fields, mut metadata) = (Message::new(message), Vec::new());
    while let Ok(Some((field, value))) = fields.next() {
        let raw = value.bytes().unwrap_or_default();
        if field != 2 {
            continue;
        }
        if let Ok((time_ns, line)) = read_entry(raw, &mut metadata) {
            push.push(&labels, &Entry { time_ns, line, metadata: &metadata }, raw, drafts)?;
        }
    }
    Ok(())
}

/// Time and line of an entry; its structured metadata goes to `metadata`.
fn read_entry<'a>(entry: &'a [u8], metadata: &mut Vec<u8>) -> Result<(Option<i64>, &'a str), Malformed> {
    let (mut entry, mut time_ns, mut line) = (Message::new(entry), None, "");
    metadata.clear();
    while let Some((field, value)) = entry.next()? {
        match field {
            1 => time_ns = timestamp(value.bytes()?)?,
            2 => line = value.text()?,
            3 => {
                let (mut pair, mut name, mut text) = (Message::new(value.bytes()?), "", "");
                while let Some((field, value)) = pair.next()? {
                    match field {
                        1 => name = value.text()?,
                        2 => text = value.text()?,
                        _ => {}
                    }
                }
                if metadata.is_empty() {
                    metadata.push(b'{');
                }
                append_text(metadata, name, text);
            }
            _ => {}
        }
    }
    if !metadata.is_empty() {
        metadata.push(b'}');
    }
    Ok((time_ns, line))
}

/// A `google.protobuf.Timestamp`. Zero is none.
fn timestamp(message: &[u8]) -> Result<Option<i64>, Malformed> {
    let (mut message, mut seconds, mut nanos) = (Message::new(message), 0_i64, 0_i64);
    while let Some((field, value)) = message.next()? {
        match field {
            1 => seconds = value.number()?.cast_signed(),
            2 => nanos = value.number()?.cast_signed(),
            _ => {}
        }
    }
    let time_ns = seconds.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(nanos));
    Ok(time_ns.filter(|&ns| ns != 0 && ns < i64::MAX && ns > i64::MIN + 1))
}
