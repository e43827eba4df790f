//! One JSON object a line.

use super::peek::{BYTE_ORDER_MARK, Input};
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, invalid, syntax_error};

/// In front of each text of a JSON text sequence (RFC 7464).
const RECORD_SEPARATOR: u8 = 0x1e;

/// Reads NDJSON. Empty lines are passed over, and so are marks in front of a line: where files were
/// joined there is one in the middle.
pub(super) struct NdjsonLines {
    input: Input,
    name: String,
    line: i64,
}

impl NdjsonLines {
    pub(super) fn new(input: Input, name: &str) -> Self {
        Self { input, name: name.to_owned(), line: 0 }
    }
}

impl ReadEvents for NdjsonLines {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            event.clear();
            let read = self.input.read_line(event, EVENT_TEXT_BYTES_MAX + 1);
            if read.map_err(|error| InputError::reading(&self.name, self.line + 1, error))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let line = self.line;
            if event.len() > EVENT_TEXT_BYTES_MAX {
                return Ok(Some(invalid(line, format!("longer than {EVENT_TEXT_BYTES_MAX} bytes"))));
            }
            event.truncate(event.trim_ascii_end().len());
            event.drain(..marks(event));
            let zeros = event.iter().take_while(|&&byte| byte == 0).count();
            if zeros > 0 {
                // What stands behind them is a line of its own.
                self.input.unread([&event[zeros..], b"\n"].concat());
                self.line -= 1;
                return Ok(Some(invalid(line, format!("{zeros} bytes are zero, as a power cut leaves them"))));
            }
            if !event.is_empty() {
                return Ok(Some(match syntax_error(event) {
                    Some(reason) => invalid(line, reason),
                    None => Record::Event { line },
                }));
            }
        }
    }
}

/// The length of what may stand in front of the event of a line.
pub(super) fn marks(line: &[u8]) -> usize {
    let mut rest = line;
    while let Some(behind) = rest.strip_prefix(BYTE_ORDER_MARK).or_else(|| rest.strip_prefix(&[RECORD_SEPARATOR])) {
        rest = behind;
    }
    line.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::super::{InputFormat, read_all};

    #[test]
    fn a_bad_line_spoils_only_itself() {
        let text = "{\"a\":1}\n\n{\"b\":\r\n  {\"c\":3}  \n{} {}\n{\"last\":true}";
        let found = read_all(text, "stdin", Some(InputFormat::Ndjson)).unwrap();
        expect_test::expect![[r#"
            1: {"a":1}
            3: invalid, not JSON: EOF while parsing a value at column 5
            4:   {"c":3}
            5: invalid, not JSON: trailing characters at column 4
            6: {"last":true}"#]]
        .assert_eq(&found.join("\n"));
    }

    #[test]
    fn marks_in_the_middle_are_passed_over() {
        let text = "\u{feff}{\"a\":1}\n\u{feff}{\"b\":2}\n\u{feff}\n\u{1e}{\"c\":3}\n";
        let found = read_all(text, "stdin", Some(InputFormat::Ndjson)).unwrap();
        assert_eq!(found, ["1: {\"a\":1}", "2: {\"b\":2}", "4: {\"c\":3}"]);
    }

    #[test]
    fn an_event_behind_zeros_is_not_lost() {
        let text = "{\"a\":1}\n\0\0\0{\"b\":2}\n\0\0\n{\"c\":3}";
        let found = read_all(text, "stdin", Some(InputFormat::Ndjson)).unwrap();
        expect_test::expect![[r#"
            1: {"a":1}
            2: invalid, 3 bytes are zero, as a power cut leaves them
            2: {"b":2}
            3: invalid, 2 bytes are zero, as a power cut leaves them
            4: {"c":3}"#]]
        .assert_eq(&found.join("\n"));
    }

    #[test]
    fn an_endless_line_is_not_held_in_memory() {
        use super::super::{EVENT_TEXT_BYTES_MAX, Options, Record, reader};
        use std::io::Read as _;
        let text = std::io::repeat(b'x').take(3 * EVENT_TEXT_BYTES_MAX as u64).chain(&b"\n{\"a\":1}\n"[..]);
        let options = Options { format: Some(InputFormat::Ndjson), ..Options::default() };
        let mut reader = reader(text, "x.ndjson", &options).unwrap();
        let mut event = Vec::new();
        assert!(matches!(reader.next(&mut event).unwrap(), Some(Record::Invalid { line: 1, .. })));
        assert!(event.capacity() <= 4 * EVENT_TEXT_BYTES_MAX);
        assert_eq!(reader.next(&mut event).unwrap(), Some(Record::Event { line: 2 }));
        assert_eq!(event, b"{\"a\":1}");
    }
}
