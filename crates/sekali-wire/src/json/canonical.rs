//! The canonical form of a JSON text: two texts have one form exactly if they mean the same.
//!
//! The order of members and white space do not matter, of a repeated member the last one counts,
//! numbers are the same if their exact decimal values are, and escapes are spelling. `serde_json`'s
//! values are unsuitable: they read objects with certain private member names as numbers or raw
//! text, and refuse half surrogate pairs, which payloads may contain.
//!
//! ```text
//! null, true, false   n, t, f
//! number              #, then its exact decimal value
//! string              ", length, text without escapes
//! array               [, elements in order, ]
//! object              {, members in order of name: length and name, value; }
//! ```
//!
//! Lengths stand before what they measure, so that no form is the beginning of another.

use std::ops::Range;

use super::number::{Decimal, append_number};
use super::reader::{Reader, Text};
use crate::limits::PAYLOAD_DEPTH_MAX;

/// Returns the canonical form of a text that is nested at most [`PAYLOAD_DEPTH_MAX`] deep; `None`
/// where it cannot be read. Takes time and memory in proportion to the length of the text.
pub fn canonical(text: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(text);
    let mut out = Vec::with_capacity(text.len());
    append(&mut reader, PAYLOAD_DEPTH_MAX, &mut out)?;
    reader.is_at_end().then_some(out)
}

/// Appends the next value with at most `depth` levels of nesting, which bounds the recursion.
fn append(reader: &mut Reader<'_>, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    match reader.peek()? {
        b'{' => append_object(reader, depth.checked_sub(1)?, out),
        b'[' => append_array(reader, depth.checked_sub(1)?, out),
        b'"' => {
            out.push(b'"');
            append_text(out, &reader.string()?);
            Some(())
        }
        b't' => append_literal(reader, b"true", out),
        b'f' => append_literal(reader, b"false", out),
        b'n' => append_literal(reader, b"null", out),
        _ => {
            out.push(b'#');
            Decimal::parse(reader.number())?.append_canonical(out);
            Some(())
        }
    }
}

fn append_literal(reader: &mut Reader<'_>, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(text.get(..1)?);
    reader.literal(text)
}

fn append_array(reader: &mut Reader<'_>, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    reader.take(b'[')?;
    out.push(b'[');
    if !reader.take_if(b']') {
        loop {
            append(reader, depth, out)?;
            if !reader.take_if(b',') {
                reader.take(b']')?;
                break;
            }
        }
    }
    out.push(b']');
    Some(())
}

fn append_object(reader: &mut Reader<'_>, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    reader.take(b'{')?;
    out.push(b'{');
    if !reader.take_if(b'}') {
        let mut members = Vec::new();
        loop {
            let (name, start) = (reader.string()?, out.len());
            reader.take(b':')?;
            append_text(out, &name);
            append(reader, depth, out)?;
            members.push((name, start..out.len()));
            if !reader.take_if(b',') {
                reader.take(b'}')?;
                break;
            }
        }
        arrange(members, out);
    }
    out.push(b'}');
    Some(())
}

/// Puts the members at the end of `out` into the order of their names, and drops all but the last
/// of those with one name.
fn arrange(mut members: Vec<(Text<'_>, Range<usize>)>, out: &mut Vec<u8>) {
    if members.is_sorted_by(|(one, _), (next, _)| one < next) {
        return;
    }
    let begin = members.first().map_or(out.len(), |(_, place)| place.start);
    let unsorted = out.split_off(begin);
    // Stable, so that the last of those with one name stays the last.
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (at, (name, place)) in members.iter().enumerate() {
        let is_repeated = members.get(at + 1).is_some_and(|(next, _)| next == name);
        if !is_repeated {
            out.extend_from_slice(&unsorted[place.start - begin..place.end - begin]);
        }
    }
}

fn append_text(out: &mut Vec<u8>, text: &[u8]) {
    append_number(out, text.len() as u64);
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree;
