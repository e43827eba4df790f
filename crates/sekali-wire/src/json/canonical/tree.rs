//! JSON values as trees: the plain meaning of "the same", with which canonical forms must agree.

use std::collections::BTreeMap;

use crate::json::number::Decimal;
use crate::json::reader::{Reader, Text};
use crate::limits::PAYLOAD_DEPTH_MAX;

/// A JSON value. Values are equal if they have the same meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, by its exact decimal value.
    Number(Decimal<'a>),
    /// A string, without its escapes.
    String(Text<'a>),
    /// The elements, in order.
    Array(Vec<Self>),
    /// The members; of a repeated one the last.
    Object(BTreeMap<Text<'a>, Self>),
}

/// Reads a value, nested at most [`PAYLOAD_DEPTH_MAX`] deep.
pub(super) fn parse(text: &[u8]) -> Option<Value<'_>> {
    let mut reader = Reader::new(text);
    let value = read(&mut reader, PAYLOAD_DEPTH_MAX)?;
    reader.is_at_end().then_some(value)
}

/// Reads a value with at most `depth` levels of nesting, which bounds the recursion.
fn read<'a>(reader: &mut Reader<'a>, depth: usize) -> Option<Value<'a>> {
    match reader.peek()? {
        b'{' => object(reader, depth.checked_sub(1)?),
        b'[' => array(reader, depth.checked_sub(1)?),
        b'"' => reader.string().map(Value::String),
        b't' => reader.literal(b"true").map(|()| Value::Bool(true)),
        b'f' => reader.literal(b"false").map(|()| Value::Bool(false)),
        b'n' => reader.literal(b"null").map(|()| Value::Null),
        _ => Decimal::parse(reader.number()).map(Value::Number),
    }
}

fn object<'a>(reader: &mut Reader<'a>, depth: usize) -> Option<Value<'a>> {
    let mut members = BTreeMap::new();
    reader.take(b'{')?;
    if reader.take_if(b'}') {
        return Some(Value::Object(members));
    }
    loop {
        let name = reader.string()?;
        reader.take(b':')?;
        // `insert` replaces: the last of several members with one name counts.
        members.insert(name, read(reader, depth)?);
        if !reader.take_if(b',') {
            reader.take(b'}')?;
            return Some(Value::Object(members));
        }
    }
}

fn array<'a>(reader: &mut Reader<'a>, depth: usize) -> Option<Value<'a>> {
    let mut elements = Vec::new();
    reader.take(b'[')?;
    if reader.take_if(b']') {
        return Some(Value::Array(elements));
    }
    loop {
        elements.push(read(reader, depth)?);
        if !reader.take_if(b',') {
            reader.take(b']')?;
            return Some(Value::Array(elements));
        }
    }
}
