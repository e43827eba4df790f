//! Lines of text.
//!
//! The id of a line is a hash of everything in the file up to its end, and the offset at which it
//! begins. So it does not depend on the name of the file, and a file that has grown, was rotated or
//! copied has the same ids again; two equal lines of a file have different ones.

use sha2::{Digest as _, Sha256};

use super::super::peek::Input;
use super::super::{InputError, ReadEvents, Record, invalid};
use super::{hex, write};
use sekali_wire::json::append_string;
use sekali_wire::timestamp::{Timestamp, parse_timestamp};

/// Longest line, in bytes: a payload has 1 MiB, and a byte may take six as JSON.
const LINE_BYTES_MAX: usize = 170_000;

/// Reads lines of text.
pub(super) struct TextLines {
    input: Input,
    name: String,
    topic: String,
    source: String,
    now: String,
    line: i64,
    offset: u64,
    /// Of everything up to the line that was read last.
    hash: Sha256,
    text: Vec<u8>,
}

impl TextLines {
    pub(super) fn new(input: Input, name: &str, topic: &str, source: &str, now: String) -> Self {
        Self {
            input,
            name: name.to_owned(),
            topic: topic.to_owned(),
            source: source.to_owned(),
            now,
            line: 0,
            offset: 0,
            hash: Sha256::new(),
            text: Vec::new(),
        }
    }
}

impl ReadEvents for TextLines {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            self.text.clear();
            let read = self.input.read_line(&mut self.text, LINE_BYTES_MAX + 2);
            let read = read.map_err(|error| InputError::reading(&self.name, self.line + 1, error))?;
            if read == 0 {
                return Ok(None);
            }
            let begins = self.offset;
            (self.line, self.offset) = (self.line + 1, self.offset + read as u64);
            let line = self.line;
            let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
            // Its end comes later: a last line that has none yet is the same once it has.
            self.hash.update(text);
            let id = format!("p:{}.{begins}", hex(&self.hash));
            self.hash.update(b"\n");
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.trim_ascii().is_empty() {
                continue;
            }
            if text.len() > LINE_BYTES_MAX {
                return Ok(Some(invalid(line, format!("longer than {LINE_BYTES_MAX} bytes"))));
            }
            let Ok(text) = std::str::from_utf8(text) else {
                return Ok(Some(invalid(line, "not UTF-8".to_owned())));
            };
            let time = time_of(text).map_or_else(|| self.now.clone(), |ns| Timestamp(ns).to_string());
            let mut payload = b"{\"message\":".to_vec();
            append_string(&mut payload, text);
            payload.push(b'}');
            let payload = String::from_utf8_lossy(&payload);
            let written = write(event, [&self.topic, &id, &time, &self.source, &payload]);
            written.map_err(|error| InputError::reading(&self.name, line, error))?;
            return Ok(Some(Record::Event { line }));
        }
    }
}

/// The time that a line begins with, in one word or two, if it does.
fn time_of(line: &str) -> Option<i64> {
    let line = line.trim_start_matches('[');
    let mut ends = line.match_indices([' ', ']', '\t']).map(|(at, _)| at).chain([line.len()]);
    let (one, two) = (ends.next()?, ends.next());
    let time = |end: usize| parse_timestamp(&line.get(..end)?.replace(',', ".")).ok();
    // A date alone is part of a time.
    two.and_then(time).or_else(|| time(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_at_the_beginning_of_a_line_is_found() {
        let day = 1_761_339_600_000_000_000;
        for (line, time) in [
            ("2025-10-24T21:00:00Z GET /", Some(day)),
            ("2025-10-24 21:00:00,500 INFO x", Some(day + 500_000_000)),
            ("[2025-10-24T21:00:00+00:00] x", Some(day)),
            ("[2025-10-24 21:00:00] x", Some(day)),
            ("2025-10-24T21:00:00Z", Some(day)),
            ("GET / 2025-10-24T21:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(time_of(line), time, "{line}");
        }
    }
}
