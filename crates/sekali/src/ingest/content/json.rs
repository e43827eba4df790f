//! JSON values for comparing. Reads text that was checked when it was accepted, but never relies on that: anything
//! unexpected is `None`.
//!
//! `serde_json::Value` would not do: it takes objects with certain private member names for numbers or raw text, and
//! it refuses half surrogate pairs, which payloads may hold.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::number::Decimal;
use crate::limits::PAYLOAD_DEPTH_MAX;

/// A JSON value; equal if it means the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Decimal<'a>),
    String(Text<'a>),
    Array(Vec<Self>),
    Object(BTreeMap<Text<'a>, Self>),
}

/// A string without its escapes, as UTF-8 where half a surrogate pair is encoded like any other code point (WTF-8).
pub(super) type Text<'a> = Cow<'a, [u8]>;

/// Reads a value, nested at most [`PAYLOAD_DEPTH_MAX`] deep.
pub(super) fn parse(text: &[u8]) -> Option<Value<'_>> {
    let mut reader = Reader { rest: text };
    let value = reader.value(PAYLOAD_DEPTH_MAX)?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a value with at most `depth` levels of nesting, which bounds the recursion.
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        self.skip_space();
        match *self.rest.first()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Value::String),
            b't' => self.literal(b"true", Value::Bool(true)),
            b'f' => self.literal(b"false", Value::Bool(false)),
            b'n' => self.literal(b"null", Value::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut members = BTreeMap::new();
        self.take(b'{')?;
        if self.take_if(b'}') {
            return Some(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.take(b':')?;
            // Inserting replaces: the last of several members with one name counts.
            members.insert(name, self.value(depth)?);
            if !self.take_if(b',') {
                self.take(b'}')?;
                return Some(Value::Object(members));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut elements = Vec::new();
        self.take(b'[')?;
        if self.take_if(b']') {
            return Some(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            if !self.take_if(b',') {
                self.take(b']')?;
                return Some(Value::Array(elements));
            }
        }
    }

    fn string(&mut self) -> Option<Text<'a>> {
        self.take(b'"')?;
        let plain = self.rest.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
        if self.rest[plain] == b'"' {
            return Some(Cow::Borrowed(self.advance(plain, 1)));
        }
        let mut out = Vec::new();
        loop {
            let plain = self.rest.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
            let end = self.rest[plain] == b'"';
            out.extend_from_slice(self.advance(plain, 1));
            if end {
                return Some(Cow::Owned(out));
            }
            self.escape(&mut out)?;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let kind = *self.rest.first()?;
        self.advance(1, 0);
        out.push(match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let code = self.code_point()?;
                append_code_point(out, code);
                return Some(());
            }
            _ => return None,
        });
        Some(())
    }

    /// Reads the digits of `\uXXXX`, and the second half of a surrogate pair if it follows.
    fn code_point(&mut self) -> Option<u32> {
        let first = self.hex()?;
        if (0xD800..0xDC00).contains(&first) && self.rest.starts_with(b"\\u") {
            let before = self.rest;
            self.advance(2, 0);
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                return Some(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            self.rest = before;
        }
        Some(first)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.rest.get(..4)?).ok()?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.advance(4, 0);
        Some(code)
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let len = self.rest.iter().position(|byte| !part(byte)).unwrap_or(self.rest.len());
        Decimal::parse(self.advance(len, 0)).map(Value::Number)
    }

    fn literal(&mut self, text: &[u8], value: Value<'a>) -> Option<Value<'a>> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(value)
    }

    /// Takes `len` bytes, and drops `more` bytes behind them. Both were seen to be there.
    fn advance(&mut self, len: usize, more: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = &rest[more..];
        taken
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.take_if(byte).then_some(())
    }

    fn take_if(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.rest.first() == Some(&byte);
        if found {
            self.advance(1, 0);
        }
        found
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// UTF-8, extended to the surrogates.
fn append_code_point(out: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xE0 | (code >> 12), 0x80 | ((code >> 6) & 0x3F), 0x80 | (code & 0x3F)].map(|b| b as u8)),
    }
}
