//! One JSON object a line.

use std::io::{BufRead, Read};

use super::peek::Input;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, syntax_error};

/// Reads NDJSON. Empty lines are passed over.
pub(super) struct Lines {
    input: Input,
    name: String,
    line: u64,
}

impl Lines {
    pub(super) fn new(input: Input, name: &str) -> Self {
        Self { input, name: name.to_owned(), line: 0 }
    }

    /// Reads a line into `text`; whether there was one.
    fn line(&mut self, text: &mut Vec<u8>) -> std::io::Result<bool> {
        text.clear();
        let mut bounded = (&mut self.input).take(EVENT_TEXT_BYTES_MAX as u64 + 1);
        if bounded.read_until(b'\n', text)? == 0 {
            return Ok(false);
        }
        self.line += 1;
        if text.len() > EVENT_TEXT_BYTES_MAX && text.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
        }
        Ok(true)
    }
}

impl ReadEvents for Lines {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            if !self.line(event).map_err(|source| InputError::Io { name: self.name.clone(), source })? {
                return Ok(None);
            }
            let line = self.line;
            if event.len() > EVENT_TEXT_BYTES_MAX {
                let reason = format!("longer than {EVENT_TEXT_BYTES_MAX} bytes");
                return Ok(Some(Record::Invalid { line, reason }));
            }
            event.truncate(event.trim_ascii_end().len());
            if event.is_empty() {
                continue;
            }
            return Ok(Some(match syntax_error(event) {
                Some(reason) => Record::Invalid { line, reason },
                None => Record::Event { line },
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, read_all};

    #[test]
    fn a_bad_line_spoils_only_itself() {
        let text = "{\"a\":1}\n\n{\"b\":\r\n  {\"c\":3}  \n{} {}\n{\"last\":true}";
        let found = read_all(text, "stdin", Some(Format::Ndjson)).unwrap();
        expect_test::expect![[r#"
            1: {"a":1}
            3: invalid, not JSON: EOF while parsing a value at column 5
            4:   {"c":3}
            5: invalid, not JSON: trailing characters at column 4
            6: {"last":true}"#]]
        .assert_eq(&found.join("\n"));
    }

    #[test]
    fn an_endless_line_is_not_held_in_memory() {
        use super::super::{EVENT_TEXT_BYTES_MAX, Record, reader};
        use std::io::Read as _;
        let text = std::io::repeat(b'x').take(3 * EVENT_TEXT_BYTES_MAX as u64).chain(&b"\n{\"a\":1}\n"[..]);
        let mut reader = reader(text, "x.ndjson", None).unwrap();
        let mut event = Vec::new();
        assert!(matches!(reader.next(&mut event).unwrap(), Some(Record::Invalid { line: 1, .. })));
        assert!(event.capacity() <= 4 * EVENT_TEXT_BYTES_MAX);
        assert_eq!(reader.next(&mut event).unwrap(), Some(Record::Event { line: 2 }));
        assert_eq!(event, b"{\"a\":1}");
    }
}
