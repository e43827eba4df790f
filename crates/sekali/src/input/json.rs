//! JSON that need not fit in memory: an array of events, `{"events": [...]}`, or events one after
//! the other.
//!
//! A value is cut out by counting brackets outside of strings; only then is it parsed, on its own.
//! So an array of many gigabytes takes as much memory as its largest element.
//!
//! Damage must not swallow what stands behind it. Where events follow one another line by line, a
//! line that breaks off spoils only itself, as in NDJSON. In arrays and in events of several lines
//! reading goes on where the next event begins.

mod resume;
mod scan;

use std::io::{self, BufRead as _};

use self::scan::{Piece, ValueScan};
use super::peek::Input;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, invalid, ndjson, syntax_error};

/// Reads the elements of an array, or the values of a sequence.
pub(super) struct Values {
    input: Input,
    name: String,
    line: i64,
    place: Place,
    /// Whether every value so far stood in a line by itself.
    one_a_line: bool,
    /// The last line that was looked at as a whole.
    looked_at: i64,
    values: u64,
    /// The member whose array has the values, where an object is around it.
    wrapper: String,
}

/// The usual one.
pub(super) const EVENTS: &str = "events";

/// Between which values we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing has been read.
    Start,
    /// Values follow one another, without commas.
    Sequence,
    /// After the opening bracket. `wrapped` is whether a brace must follow the array.
    ArrayStart { wrapped: bool },
    /// Before an element.
    Element { wrapped: bool },
    /// After an element.
    ArrayRest { wrapped: bool },
    /// After the closing bracket.
    End,
}

/// The state between two values.
enum Next {
    /// A value.
    Value,
    /// Damage between values; reading goes on behind it.
    Damage(Record),
    /// Nothing.
    End,
}

/// The end of an attempt to cut out a value.
enum Cut {
    /// All of it was taken.
    Whole,
    /// It cannot be one value, or is longer than an event may be. At most a piece of what was
    /// looked at was not taken.
    Damaged(String),
}

impl Values {
    pub(super) fn new(input: Input, name: &str, wrapper: &str) -> Self {
        Self {
            input,
            name: name.to_owned(),
            line: 1,
            place: Place::Start,
            one_a_line: true,
            looked_at: 0,
            values: 0,
            wrapper: wrapper.to_owned(),
        }
    }

    /// Moves to the beginning of the next value.
    fn seek_value(&mut self) -> Result<Next, InputError> {
        loop {
            let byte = self.skip_space()?;
            match (self.place, byte) {
                (Place::Start | Place::Sequence | Place::End, None) => return Ok(Next::End),
                (Place::Start, Some(b'[')) => {
                    self.consume()?;
                    self.place = Place::ArrayStart { wrapped: false };
                }
                (Place::Start, Some(b'{')) if self.consume_wrapper()? => {
                    self.place = Place::ArrayStart { wrapped: true };
                }
                (Place::Start, Some(_)) => self.place = Place::Sequence,
                (Place::Sequence, Some(_)) => return Ok(Next::Value),
                (Place::Element { wrapped }, Some(_)) => {
                    self.place = Place::ArrayRest { wrapped };
                    return Ok(Next::Value);
                }
                (Place::ArrayStart { wrapped } | Place::ArrayRest { wrapped }, Some(b']')) => {
                    self.consume()?;
                    self.place = Place::End;
                    if wrapped {
                        match self.skip_space()? {
                            Some(b'}') => self.consume()?,
                            _ => {
                                return self
                                    .resume(self.line, "expected } after the array of events")
                                    .map(Next::Damage);
                            }
                        }
                    }
                }
                (Place::ArrayStart { wrapped }, Some(_)) => self.place = Place::Element { wrapped },
                (Place::ArrayRest { wrapped }, Some(b',')) => {
                    self.consume()?;
                    match self.skip_space()? {
                        None => return Err(self.syntax("expected an event after the comma")),
                        Some(b']' | b',') => {
                            return self.resume(self.line, "expected an event after the comma").map(Next::Damage);
                        }
                        Some(_) => self.place = Place::Element { wrapped },
                    }
                }
                (Place::ArrayRest { wrapped }, Some(byte)) => return self.not_a_comma(byte, wrapped),
                // Files that were joined.
                (Place::End, Some(b'[' | b'{')) => self.place = Place::Start,
                (Place::End, Some(_)) => {
                    return self.resume(self.line, "expected nothing after the array").map(Next::Damage);
                }
                (Place::ArrayStart { .. } | Place::ArrayRest { .. } | Place::Element { .. }, None) => {
                    return Err(self.syntax("the file ends inside the array: it was cut off"));
                }
            }
        }
    }

    /// Behind an element stands something that does not belong there.
    fn not_a_comma(&mut self, byte: u8, wrapped: bool) -> Result<Next, InputError> {
        let (line, reason) = (self.line, "expected a comma or ] after the event");
        if byte == b'{' {
            self.place = Place::Element { wrapped };
            return Ok(Next::Damage(Record::Invalid { line, rows: 0, reason: reason.to_owned() }));
        }
        self.resume(line, reason).map(Next::Damage)
    }

    /// Copies the value that begins here into `text`.
    fn copy_value(&mut self, text: &mut Vec<u8>) -> Result<Cut, InputError> {
        text.clear();
        let (mut scan, first_line, mut checked) = (ValueScan::default(), self.line, 0);
        let in_sequence = self.place == Place::Sequence;
        loop {
            self.input.peek().map_err(|error| InputError::reading(&self.name, self.line, error))?;
            let buffer = self.input.fill_buf().map_err(|error| InputError::reading(&self.name, self.line, error))?;
            if buffer.is_empty() {
                return Ok(match scan.may_end() {
                    true => Cut::Whole,
                    false => Cut::Damaged("the file ends inside an event: it was cut off".to_owned()),
                });
            }
            let (piece, length) = scan.piece_of(buffer);
            let room = (EVENT_TEXT_BYTES_MAX + 1).saturating_sub(text.len());
            text.extend_from_slice(&buffer[..length.min(room)]);
            self.input.consume(length);
            if text.len() > EVENT_TEXT_BYTES_MAX {
                return Ok(Cut::Damaged(format!("longer than {EVENT_TEXT_BYTES_MAX} bytes")));
            }
            match piece {
                Piece::End => return Ok(Cut::Whole),
                Piece::Part => {}
                Piece::WrongBracket => return Ok(Cut::Damaged("a bracket closes what was not opened".to_owned())),
                Piece::LineBreakInText => {
                    self.line += 1;
                    return Ok(Cut::Damaged("a string is not closed in this line".to_owned()));
                }
                Piece::Line => {
                    self.line += 1;
                    // Several events in one line are a sequence as well as one event in several
                    // lines is. What was one a line and now is neither has lost its end.
                    let suspicious = self.one_a_line && self.values > 0 || self.line == first_line + 1;
                    if in_sequence && suspicious && text.len() >= 2 * checked && self.goes_wrong(text)? {
                        return Ok(Cut::Damaged("the line breaks off".to_owned()));
                    }
                    checked = text.len();
                }
            }
        }
    }

    /// Whether the beginning of a value, which is a number of lines, and what is there of the next
    /// line cannot be of one value.
    fn goes_wrong(&mut self, text: &[u8]) -> Result<bool, InputError> {
        self.input.peek().map_err(|error| self.reading(error))?;
        let ahead = self.input.fill_buf().map_err(|error| InputError::reading(&self.name, self.line, error))?;
        let line = memchr::memchr(b'\n', ahead).map_or(ahead, |end| &ahead[..end]);
        let both = [text, line].concat();
        Ok(serde_json::from_slice::<serde::de::IgnoredAny>(&both).is_err_and(|error| error.is_syntax()))
    }

    /// If the input goes on with `{"events": [`, passes over that and says so.
    fn consume_wrapper(&mut self) -> Result<bool, InputError> {
        let buffer = self.input.fill_buf().map_err(|error| InputError::reading(&self.name, self.line, error))?;
        let Some(length) = wrapper_length(buffer, &self.wrapper) else { return Ok(false) };
        self.line += count_lines(&buffer[..length]);
        self.input.consume(length);
        Ok(true)
    }

    fn skip_space(&mut self) -> Result<Option<u8>, InputError> {
        loop {
            self.input.peek().map_err(|error| self.reading(error))?;
            let buffer = self.input.fill_buf().map_err(|error| InputError::reading(&self.name, self.line, error))?;
            let space = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let space = space + ndjson::marks(&buffer[space..]);
            let (found, at_end) = (buffer.get(space).copied(), buffer.is_empty());
            self.line += count_lines(&buffer[..space]);
            self.input.consume(space);
            if at_end || (found.is_some() && space == 0) {
                return Ok(found);
            }
        }
    }

    fn consume(&mut self) -> Result<(), InputError> {
        self.input.peek().map_err(|error| self.reading(error))?;
        self.input.consume(1);
        Ok(())
    }

    fn syntax(&self, reason: &str) -> InputError {
        InputError::Syntax { name: self.name.clone(), line: self.line, reason: reason.to_owned() }
    }

    fn reading(&self, error: io::Error) -> InputError {
        InputError::reading(&self.name, self.line, error)
    }

    /// Takes the line that begins here if it is neither one value or several nor the beginning of
    /// one, and says why.
    fn bad_line(&mut self, text: &mut Vec<u8>) -> Result<Option<String>, InputError> {
        text.clear();
        self.input.read_line(text, EVENT_TEXT_BYTES_MAX + 1).map_err(|error| self.reading(error))?;
        let reason = if text.len() > EVENT_TEXT_BYTES_MAX {
            Some(format!("longer than {EVENT_TEXT_BYTES_MAX} bytes"))
        } else {
            let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
            let is_bad = values.any(|value| value.is_err_and(|error| !error.is_eof()));
            is_bad.then(|| syntax_error(text.trim_ascii_end()).unwrap_or_else(|| "not JSON".to_owned()))
        };
        match reason {
            Some(_) => self.line += i64::from(text.ends_with(b"\n") || text.len() > EVENT_TEXT_BYTES_MAX),
            None => self.input.unread(std::mem::take(text)),
        }
        Ok(reason)
    }

    /// Takes what is left of the line in which a value is no event, and says why the whole of it is
    /// none.
    fn rest_of_line(&mut self, text: &mut Vec<u8>) -> Result<Option<String>, InputError> {
        let read = self.input.read_line(text, EVENT_TEXT_BYTES_MAX);
        self.line += i64::from(read.map_err(|error| self.reading(error))? > 0);
        Ok(syntax_error(text.trim_ascii_end()))
    }

    /// Judges a value that was cut out.
    fn whole(&mut self, text: &mut Vec<u8>, line: i64) -> Result<Record, InputError> {
        let is_one_line = self.line == line;
        let Some(reason) = syntax_error(text) else {
            self.one_a_line &= is_one_line;
            return Ok(Record::Event { line });
        };
        if self.place == Place::Sequence && self.one_a_line && is_one_line {
            let reason = self.rest_of_line(text)?.unwrap_or(reason);
            return Ok(invalid(line, reason));
        }
        Ok(invalid(line, reason))
    }
}

impl ReadEvents for Values {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        match self.seek_value()? {
            Next::End => return Ok(None),
            Next::Damage(record) => return Ok(Some(record)),
            Next::Value => {}
        }
        let line = self.line;
        if self.place == Place::Sequence && self.one_a_line && line > self.looked_at {
            self.looked_at = line;
            if let Some(reason) = self.bad_line(event)? {
                return Ok(Some(invalid(line, reason)));
            }
        }
        let record = match self.copy_value(event)? {
            Cut::Whole => self.whole(event, line)?,
            Cut::Damaged(reason) => self.pass(event, line, &reason)?,
        };
        self.values += u64::from(matches!(record, Record::Event { .. }));
        Ok(Some(record))
    }
}

/// The length of `{"events": [`, or of another wrapper, at the beginning of `text`, if it is there.
fn wrapper_length(text: &[u8], wrapper: &str) -> Option<usize> {
    let mut rest = text;
    let name = serde_json::Value::from(wrapper).to_string();
    for token in [&b"{"[..], name.as_bytes(), b":", b"["] {
        rest = rest.trim_ascii_start().strip_prefix(token)?;
    }
    Some(text.len() - rest.len())
}

fn count_lines(text: &[u8]) -> i64 {
    memchr::memchr_iter(b'\n', text).count() as i64
}

#[cfg(test)]
mod tests;
