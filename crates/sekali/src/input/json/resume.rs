//! Going on behind damage.

use std::io::BufRead as _;

use super::super::{EVENT_TEXT_BYTES_MAX, InputError, Record, invalid, syntax_error};
use super::{Place, Values, count_lines};
use sekali_wire::columns::{ADDED, EVENT};

/// How much is looked through at once for the next event, in bytes.
const LOOK_BYTES: usize = 64 * 1024;
/// The longest beginning of an event that tells it from other objects, in bytes.
const BEGINNING_BYTES_MAX: usize = 256;

impl Values {
    /// Passes a value of which `text` was taken, and which cannot be one.
    pub(super) fn pass(&mut self, text: &mut Vec<u8>, line: i64, reason: &str) -> Result<Record, InputError> {
        let mut text = std::mem::take(text);
        let is_too_long = text.len() > EVENT_TEXT_BYTES_MAX;
        let first_line = memchr::memchr(b'\n', &text).map(|at| at + 1);
        match (self.place, first_line) {
            (Place::Sequence, None) if is_too_long => {
                let read = self.input.read_line(&mut text, 0).map_err(|error| self.reading(error))?;
                self.line += i64::from(read > 0);
                Ok(invalid(line, reason.to_owned()))
            }
            (Place::Sequence, None) => {
                let why = self.rest_of_line(&mut text)?.unwrap_or_else(|| reason.to_owned());
                Ok(invalid(line, why))
            }
            (Place::Sequence, Some(first_line)) => {
                let rest = text.split_off(first_line);
                let is_one_line = self.one_a_line && self.values > 0;
                self.input.unread(rest);
                self.line = line + 1;
                let why = syntax_error(text.trim_ascii_end()).unwrap_or_else(|| reason.to_owned());
                if is_one_line {
                    return Ok(invalid(line, why));
                }
                // It is one of several lines: the next event begins where a line begins with a
                // brace.
                let last = self.skip_to_brace()?;
                let many = format!("lines {line} to {last}: {reason}");
                Ok(invalid(line, if last > line { many } else { why }))
            }
            _ => {
                let rest = text.split_off(1.min(text.len()));
                self.line = line;
                self.input.unread(rest);
                self.resume(line, reason)
            }
        }
    }

    /// Passes over lines up to one that begins with a brace; returns the number of the last one of
    /// them.
    fn skip_to_brace(&mut self) -> Result<i64, InputError> {
        let mut skipped = Vec::new();
        loop {
            match self.input.peek().map_err(|error| self.reading(error))? {
                None | Some(b'{') => return Ok(self.line - 1),
                Some(_) => {
                    skipped.clear();
                    self.input.read_line(&mut skipped, 0).map_err(|error| self.reading(error))?;
                    self.line += 1;
                }
            }
        }
    }

    /// In an array: goes to where the next event begins, which is told by its first member, and
    /// says that what lies between is passed over.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn resume(&mut self, line: i64, reason: &str) -> Result<Record, InputError> {
        let mut before = Before::Nothing;
        loop {
            let mut text = Vec::new();
            let is_last = !self.look(&mut text)?;
            let end = if is_last { text.len() } else { text.len() - BEGINNING_BYTES_MAX };
            if let Some(at) = find_event(&text, end, &mut before) {
                self.line += count_lines(&text[..at]);
                self.input.unread(text.split_off(at));
                self.place = match self.place {
                    Place::ArrayRest { wrapped } => Place::Element { wrapped },
                    Place::End => Place::Element { wrapped: false },
                    place => place,
                };
                return Ok(invalid(line, format!("{reason}; reading goes on in line {}", self.line)));
            }
            if is_last {
                return Err(InputError::Syntax { name: self.name.clone(), line, reason: reason.to_owned() });
            }
            self.line += count_lines(&text[..end]);
            self.input.unread(text.split_off(end));
        }
    }

    /// Takes so much that it can be looked through; `false` if that is all there is.
    fn look(&mut self, text: &mut Vec<u8>) -> Result<bool, InputError> {
        while text.len() < LOOK_BYTES {
            self.input.peek().map_err(|error| self.reading(error))?;
            let buffer = self.input.fill_buf().map_err(|error| InputError::reading(&self.name, self.line, error))?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let taken = buffer.len().min(LOOK_BYTES - text.len());
            text.extend_from_slice(&buffer[..taken]);
            self.input.consume(taken);
        }
        Ok(true)
    }
}

/// The text before a place, white space left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A colon: an object that follows is the value of a member.
    Colon,
    /// The text that may stand before an element, or the beginning of a line.
    Nothing,
    /// Something else in the same line.
    Other,
}

/// Where an event begins, before `end`: an object that is no member's value and whose first member
/// is one of an event.
fn find_event(text: &[u8], end: usize, before: &mut Before) -> Option<usize> {
    for (at, &byte) in text[..end].iter().enumerate() {
        *before = match byte {
            b'{' if *before == Before::Nothing && begins_event(&text[at..]) => return Some(at),
            b':' => Before::Colon,
            b'\n' if *before == Before::Other => Before::Nothing,
            b',' | b'[' | b'}' | 0 => Before::Nothing,
            _ if byte.is_ascii_whitespace() => *before,
            _ => Before::Other,
        };
    }
    None
}

fn begins_event(text: &[u8]) -> bool {
    let name = text[1..].trim_ascii_start().strip_prefix(b"\"").unwrap_or_default();
    let name = name.split(|&byte| byte == b'"').next().unwrap_or_default();
    EVENT.iter().chain(&ADDED).any(|known| known.as_bytes() == name)
}
