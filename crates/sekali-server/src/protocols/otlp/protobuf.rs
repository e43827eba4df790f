//! Requests in Protocol Buffers. The numbers are those of `logs.proto`, `common.proto` and
//! `resource.proto`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekali_store::limits::PAYLOAD_BYTES_MAX;
use sekali_wire::json::append_string;

use super::record::{Record, Resource, UID};
use super::{DEPTH_MAX, Sink, Unreadable, malformed};
use crate::protocols::Refusal;
use crate::protocols::json::{append_name, append_text};
use crate::protocols::protobuf::{Message, WireValue};

/// Reads all records of a body.
pub(super) fn read(body: &[u8], sink: &mut Sink<'_>) -> Result<(), Refusal> {
    each(body, 1, &mut |resource_logs| {
        let mut resource = Resource::default();
        let outcome = each(resource_logs, 1, &mut |message| outer(read_resource(message, &mut resource)));
        outcome?;
        each(resource_logs, 2, &mut |scope_logs| scope(scope_logs, &resource, sink))
    })
}

fn scope(scope_logs: &[u8], resource: &Resource, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let mut about = Vec::new();
    each(scope_logs, 1, &mut |message| outer(read_scope(message, &mut about)))?;
    let mut record = Record::default();
    each(scope_logs, 2, &mut |message| {
        record.clear();
        match read_record(message, &mut record) {
            Err(Unreadable::Malformed) => Err(malformed(&Unreadable::Malformed.reason())),
            outcome => sink.push(resource, &about, outcome.map(|()| &record), message),
        }
    })
}

/// Hands out the messages in one field of a message.
fn each(message: &[u8], number: u64, take: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut message = Message::new(message);
    while let Some((field, value)) = message.next().map_err(|_| malformed("its encoding is broken"))? {
        if field == number {
            take(value.bytes().map_err(|_| malformed("a field has the wrong type"))?)?;
        }
    }
    Ok(())
}

/// A fault around the records is one of the request.
fn outer(outcome: Result<(), Unreadable>) -> Result<(), Refusal> {
    outcome.map_err(|wrong| malformed(&wrong.reason()))
}

fn read_resource(message: &[u8], resource: &mut Resource) -> Result<(), Unreadable> {
    let mut message = Message::new(message);
    let mut attributes = std::mem::take(&mut resource.attributes);
    while let Some((field, value)) = message.next()? {
        if field == 1 {
            attribute(value.bytes()?, &mut attributes, &mut |name, text| resource.note(name, text))?;
        }
    }
    resource.attributes = attributes;
    Ok(())
}

fn read_scope(message: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let (mut message, mut attributes) = (Message::new(message), Vec::new());
    out.clear();
    out.push(b'{');
    while let Some((field, value)) = message.next()? {
        match field {
            1 => append_text(out, "name", bounded(value.text()?)?),
            2 => append_text(out, "version", bounded(value.text()?)?),
            3 => attribute(value.bytes()?, &mut attributes, &mut |_, _| {})?,
            _ => {}
        }
    }
    if !attributes.is_empty() {
        append_name(out, "attributes");
        out.extend_from_slice(&attributes);
        out.push(b'}');
    }
    if out.len() == 1 {
        out.clear();
    } else {
        out.push(b'}');
    }
    Ok(())
}

fn read_record(message: &[u8], record: &mut Record) -> Result<(), Unreadable> {
    let mut message = Message::new(message);
    let mut attributes = std::mem::take(&mut record.attributes);
    while let Some((field, value)) = message.next()? {
        match field {
            1 => record.time = value.number()?,
            2 => record.severity = value.number()?,
            3 => value.text()?.clone_into(&mut record.severity_text),
            5 => {
                record.body.clear();
                any_value(value.bytes()?, &mut record.body, 0)?;
            }
            6 => attribute(value.bytes()?, &mut attributes, &mut |name, text| {
                if name == UID && !text.is_empty() {
                    record.uid = Some(text.to_owned());
                }
            })?,
            7 => record.dropped = value.number()?,
            8 => record.flags = value.number()?,
            9 => record.trace_id = hex(value.bytes()?),
            10 => record.span_id = hex(value.bytes()?),
            11 => record.observed = value.number()?,
            12 => value.text()?.clone_into(&mut record.event_name),
            _ => {}
        }
    }
    record.attributes = attributes;
    bounded(&record.severity_text)?;
    bounded(&record.event_name)?;
    Ok(())
}

/// Adds an attribute to an object that has no last brace yet. `note` is told those with text.
fn attribute(pair: &[u8], out: &mut Vec<u8>, note: &mut dyn FnMut(&str, &str)) -> Result<(), Unreadable> {
    let (name, value) = key_value(pair)?;
    if out.is_empty() {
        out.push(b'{');
    }
    append_name(out, bounded(name)?);
    any_value(value, out, 1)?;
    if let Some((1, value)) = last_field(value)? {
        note(name, value.text()?);
    }
    Ok(())
}

fn key_value(pair: &[u8]) -> Result<(&str, &[u8]), Unreadable> {
    let (mut pair, mut name, mut any) = (Message::new(pair), "", &b""[..]);
    while let Some((field, value)) = pair.next()? {
        match field {
            1 => name = value.text()?,
            2 => any = value.bytes()?,
            _ => {}
        }
    }
    Ok((name, any))
}

/// The last field of a message: of a `oneof`, the one that counts.
fn last_field(message: &[u8]) -> Result<Option<(u64, WireValue<'_>)>, Unreadable> {
    let (mut message, mut last) = (Message::new(message), None);
    while let Some(field) = message.next()? {
        last = Some(field);
    }
    Ok(last)
}

/// Writes an `AnyValue` as JSON.
fn any_value(message: &[u8], out: &mut Vec<u8>, depth: usize) -> Result<(), Unreadable> {
    if depth > DEPTH_MAX {
        return Err(Unreadable::TooDeep);
    }
    if out.len() > PAYLOAD_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let Some((field, value)) = last_field(message)? else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    match field {
        1 => append_string(out, bounded(value.text()?)?),
        2 => out.extend_from_slice(if value.number()? == 0 { b"false" } else { b"true" }),
        3 => out.extend_from_slice(value.number()?.cast_signed().to_string().as_bytes()),
        4 => double(out, f64::from_bits(value.number()?)),
        5 => {
            out.push(b'[');
            let mut values = Message::new(value.bytes()?);
            while let Some((1, value)) = values.next()? {
                if out.last() != Some(&b'[') {
                    out.push(b',');
                }
                any_value(value.bytes()?, out, depth + 1)?;
            }
            out.push(b']');
        }
        6 => {
            out.push(b'{');
            let mut pairs = Message::new(value.bytes()?);
            while let Some((1, pair)) = pairs.next()? {
                let (name, value) = key_value(pair.bytes()?)?;
                append_name(out, bounded(name)?);
                any_value(value, out, depth + 1)?;
            }
            out.push(b'}');
        }
        7 => {
            let bytes = value.bytes()?;
            if bytes.len() > PAYLOAD_BYTES_MAX {
                return Err(Unreadable::TooLarge);
            }
            out.extend_from_slice(b"{\"base64\":");
            append_string(out, &STANDARD.encode(bytes));
            out.push(b'}');
        }
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

/// JSON has no words for the numbers that are none.
pub(super) fn double(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(out, &number);
    } else {
        append_string(out, &number.to_string());
    }
}

/// Text that may be too long for a payload even before it is escaped.
fn bounded(text: &str) -> Result<&str, Unreadable> {
    if text.len() > PAYLOAD_BYTES_MAX { Err(Unreadable::TooLarge) } else { Ok(text) }
}

/// Hex digits of an id, of which the longest has 16 bytes.
fn hex(bytes: &[u8]) -> String {
    const BYTES_MAX: usize = 32;
    bytes.iter().take(BYTES_MAX).map(|byte| format!("{byte:02x}")).collect()
}
