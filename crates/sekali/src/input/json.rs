//! JSON that need not fit in memory: an array of events, `{"events": [...]}`, or events one after the other.
//!
//! A value is cut out by counting brackets outside of strings; only then is it parsed, on its own. So an array of
//! many gigabytes takes as much memory as its largest element.

use std::io::{self, BufRead};

use super::peek::Input;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, syntax_error};

/// Reads the elements of an array, or the values of a sequence.
pub(super) struct Values {
    input: Input,
    name: String,
    line: u64,
    place: Place,
}

/// Between which values we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing has been read.
    Start,
    /// Values follow one another, without commas.
    Sequence,
    /// After the opening bracket. `closes` is what must follow the array.
    ArrayStart { wrapped: bool },
    /// After an element.
    ArrayRest { wrapped: bool },
    /// After the closing bracket.
    End,
}

impl Values {
    pub(super) fn new(input: Input, name: &str) -> Self {
        Self { input, name: name.to_owned(), line: 1, place: Place::Start }
    }

    /// Moves to the beginning of the next value and returns its first byte; `None` after the last.
    fn seek_value(&mut self) -> Result<Option<u8>, InputError> {
        loop {
            let byte = self.skip_space()?;
            match (self.place, byte) {
                (Place::Start | Place::Sequence | Place::End, None) => return Ok(None),
                (Place::Start, Some(b'[')) => {
                    self.consume()?;
                    self.place = Place::ArrayStart { wrapped: false };
                }
                (Place::Start, Some(b'{')) if self.consume_wrapper()? => {
                    self.place = Place::ArrayStart { wrapped: true };
                }
                (Place::Start, Some(_)) => self.place = Place::Sequence,
                (Place::Sequence, Some(byte)) => return Ok(Some(byte)),
                (Place::ArrayStart { wrapped } | Place::ArrayRest { wrapped }, Some(b']')) => {
                    self.consume()?;
                    if wrapped {
                        self.require(b'}', "expected } after the array of events")?;
                    }
                    self.place = Place::End;
                }
                (Place::ArrayStart { wrapped }, Some(byte)) => {
                    self.place = Place::ArrayRest { wrapped };
                    return Ok(Some(byte));
                }
                (Place::ArrayRest { .. }, Some(b',')) => {
                    self.consume()?;
                    return match self.skip_space()? {
                        None | Some(b']' | b',') => Err(self.syntax("expected an event after the comma")),
                        found => Ok(found),
                    };
                }
                (Place::ArrayRest { .. }, Some(_)) => return Err(self.syntax("expected a comma or ] after the event")),
                (Place::End, Some(_)) => return Err(self.syntax("expected nothing after the array")),
                (Place::ArrayStart { .. } | Place::ArrayRest { .. }, None) => {
                    return Err(self.syntax("the file ends inside the array: it was cut off"));
                }
            }
        }
    }

    /// Copies the value that begins here into `text`; returns its full length, of which `text` has no more than
    /// the longest event allowed.
    fn copy_value(&mut self, text: &mut Vec<u8>) -> Result<usize, InputError> {
        text.clear();
        let (mut scan, mut length) = (ValueScan::default(), 0);
        loop {
            let buffer = self.input.fill_buf().map_err(io_error(&self.name))?;
            if buffer.is_empty() {
                return match scan.may_end() {
                    true => Ok(length),
                    false => Err(self.syntax("the file ends inside an event: it was cut off")),
                };
            }
            let end = scan.end_in(buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            self.line += count_lines(part);
            length += part.len();
            text.extend_from_slice(&part[..part.len().min((EVENT_TEXT_BYTES_MAX + 1).saturating_sub(text.len()))]);
            let consumed = part.len();
            self.input.consume(consumed);
            if end.is_some() {
                return Ok(length);
            }
        }
    }

    /// If the input goes on with `{"events": [`, passes over that and says so.
    fn consume_wrapper(&mut self) -> Result<bool, InputError> {
        let buffer = self.input.fill_buf().map_err(io_error(&self.name))?;
        let Some(length) = wrapper_length(buffer) else { return Ok(false) };
        self.line += count_lines(&buffer[..length]);
        self.input.consume(length);
        Ok(true)
    }

    fn skip_space(&mut self) -> Result<Option<u8>, InputError> {
        loop {
            let buffer = self.input.fill_buf().map_err(io_error(&self.name))?;
            let space = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let (found, at_end) = (buffer.get(space).copied(), buffer.is_empty());
            self.line += count_lines(&buffer[..space]);
            self.input.consume(space);
            if found.is_some() || at_end {
                return Ok(found);
            }
        }
    }

    fn consume(&mut self) -> Result<(), InputError> {
        self.input.fill_buf().map_err(io_error(&self.name))?;
        self.input.consume(1);
        Ok(())
    }

    fn require(&mut self, wanted: u8, otherwise: &str) -> Result<(), InputError> {
        match self.skip_space()? {
            Some(byte) if byte == wanted => self.consume(),
            _ => Err(self.syntax(otherwise)),
        }
    }

    fn syntax(&self, reason: &str) -> InputError {
        InputError::Syntax { name: self.name.clone(), line: self.line, reason: reason.to_owned() }
    }
}

impl ReadEvents for Values {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        if self.seek_value()?.is_none() {
            return Ok(None);
        }
        let line = self.line;
        let length = self.copy_value(event)?;
        if length > EVENT_TEXT_BYTES_MAX {
            let reason = format!("longer than {EVENT_TEXT_BYTES_MAX} bytes");
            return Ok(Some(Record::Invalid { line, reason }));
        }
        Ok(Some(match syntax_error(event) {
            Some(reason) => Record::Invalid { line, reason },
            None => Record::Event { line },
        }))
    }
}

/// Finds where a value ends, piece by piece.
#[derive(Debug, Default)]
struct ValueScan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl ValueScan {
    /// How many bytes of `part` still belong to the value; `None` if all do and more may follow.
    fn end_in(&mut self, part: &[u8]) -> Option<usize> {
        for (index, &byte) in part.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(index + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                // A bare word or number ends before what follows it; a stray bracket is a (bad) value by itself.
                b'}' | b']' | b',' if self.depth == 0 => return Some(index.max(usize::from(!self.begun))),
                _ if self.depth == 0 && byte.is_ascii_whitespace() => return Some(index),
                _ => {}
            }
            self.begun = true;
        }
        None
    }

    /// Whether the input may end here: only inside a bare word or number.
    fn may_end(&self) -> bool {
        self.depth == 0 && !self.in_string
    }
}

/// The length of `{"events": [` at the beginning of `text`, if it is there.
fn wrapper_length(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    for token in [&b"{"[..], b"\"events\"", b":", b"["] {
        rest = rest.trim_ascii_start().strip_prefix(token)?;
    }
    Some(text.len() - rest.len())
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

fn io_error(name: &str) -> impl FnOnce(io::Error) -> InputError + '_ {
    move |source| InputError::Io { name: name.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Record, read_all, reader};
    use proptest::prelude::*;

    fn check(text: &'static str, expected: &expect_test::Expect) {
        let found = match read_all(text, "x.json", Some(Format::Json)) {
            Ok(found) => found.join("\n"),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn arrays_wrappers_and_sequences_are_taken_apart() {
        check(
            "[{\"a\":\"]}\\\"\"},\n {\"b\":[{}]}\n]\n",
            &expect_test::expect![[r#"
            1: {"a":"]}\""}
            2: {"b":[{}]}"#]],
        );
        check("\n{ \"events\" : [ {\"a\":1} ] }", &expect_test::expect![[r#"2: {"a":1}"#]]);
        check(
            "{\n\"a\":1}\n{\"b\":2}",
            &expect_test::expect![[r#"
            1: {
            "a":1}
            3: {"b":2}"#]],
        );
        check("[]", &expect_test::expect![[""]]);
        check("", &expect_test::expect![[""]]);
    }

    #[test]
    fn a_bad_element_spoils_only_itself() {
        check(
            "[{\"a\":},\n12, \"x\", nonsense, {\"b\":2}]",
            &expect_test::expect![[r#"
            1: invalid, not JSON: expected value at column 6
            2: 12
            2: "x"
            2: invalid, not JSON: expected ident at column 2
            2: {"b":2}"#]],
        );
    }

    #[test]
    fn a_broken_array_is_named_with_its_line() {
        check(
            "[{\"a\":1}\n{\"b\":2}]",
            &expect_test::expect!["error: x.json:2: expected a comma or ] after the event"],
        );
        check("[{\"a\":1},\n]", &expect_test::expect!["error: x.json:2: expected an event after the comma"]);
        check(
            "[{\"a\":1},\n{\"b\":",
            &expect_test::expect!["error: x.json:2: the file ends inside an event: it was cut off"],
        );
        check("[{\"a\":1}", &expect_test::expect!["error: x.json:1: the file ends inside the array: it was cut off"]);
        check("[]\n[]", &expect_test::expect!["error: x.json:2: expected nothing after the array"]);
        check(
            "{\"events\":[],\"x\":1}",
            &expect_test::expect!["error: x.json:1: expected } after the array of events"],
        );
    }

    /// Hands out a few bytes at a time, as pipes do.
    struct Dribble(std::io::Cursor<Vec<u8>>, usize);

    impl std::io::Read for Dribble {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }

    proptest! {
        #[test]
        fn any_array_comes_back_element_by_element(texts in prop::collection::vec(".{0,20}", 0..20), step in 1usize..9) {
            let events: Vec<_> = texts.iter().map(|text| serde_json::json!({"payload": {text: [text]}})).collect();
            let array = serde_json::to_vec_pretty(&events).unwrap();
            let mut reader = reader(Dribble(std::io::Cursor::new(array), step), "x.json", None).unwrap();
            let (mut event, mut found) = (Vec::new(), Vec::new());
            while let Some(record) = reader.next(&mut event).unwrap() {
                let is_event = matches!(record, Record::Event { .. });
                prop_assert!(is_event);
                found.push(serde_json::from_slice::<serde_json::Value>(&event).unwrap());
            }
            prop_assert_eq!(found, events);
        }
    }
}
