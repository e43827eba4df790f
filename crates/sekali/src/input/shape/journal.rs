//! The journal of systemd, as `journalctl -o json` writes it: an object a line.

use serde_json::{Map, Value};

use super::super::peek::Input;
use super::super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, invalid, syntax_error};
use super::write;
use sekali_wire::timestamp::Timestamp;

/// The topic of entries of no program.
const TOPIC: &str = "journal";
/// The members that name the program, the first that is there counts.
const PROGRAMS: [&str; 3] = ["SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM"];

/// Reads entries of the journal.
pub(super) struct JournalEntries {
    input: Input,
    name: String,
    topic: Option<String>,
    now: String,
    line: i64,
    text: Vec<u8>,
}

impl JournalEntries {
    pub(super) fn new(input: Input, name: &str, topic: Option<String>, now: String) -> Self {
        Self { input, name: name.to_owned(), topic, now, line: 0, text: Vec::new() }
    }
}

impl ReadEvents for JournalEntries {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            self.text.clear();
            let read = self.input.read_line(&mut self.text, EVENT_TEXT_BYTES_MAX + 1);
            if read.map_err(|error| InputError::reading(&self.name, self.line + 1, error))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let line = self.line;
            if self.text.len() > EVENT_TEXT_BYTES_MAX {
                return Ok(Some(invalid(line, format!("longer than {EVENT_TEXT_BYTES_MAX} bytes"))));
            }
            let text = self.text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if let Some(reason) = syntax_error(text) {
                return Ok(Some(invalid(line, reason)));
            }
            let Ok(entry) = serde_json::from_slice::<Map<String, Value>>(text) else {
                return Ok(Some(invalid(line, "not an object, as `journalctl -o json` writes them".to_owned())));
            };
            let member = |name: &str| entry.get(name).and_then(Value::as_str);
            let Some(cursor) = member("__CURSOR") else {
                return Ok(Some(invalid(line, "has no __CURSOR: use `journalctl -o json`".to_owned())));
            };
            let program = PROGRAMS.iter().find_map(|name| member(name)).filter(|name| !name.starts_with('$'));
            let topic = self.topic.as_deref().or(program).unwrap_or(TOPIC);
            let micros = member("__REALTIME_TIMESTAMP").and_then(|text| text.parse::<i64>().ok());
            let time = micros.and_then(|micros| micros.checked_mul(1_000)).map(|ns| Timestamp(ns).to_string());
            let source = member("_HOSTNAME").unwrap_or_default();
            let payload = String::from_utf8_lossy(text);
            let cells = [topic, cursor, time.as_deref().unwrap_or(&self.now), source, &payload];
            write(event, cells).map_err(|error| InputError::reading(&self.name, line, error))?;
            return Ok(Some(Record::Event { line }));
        }
    }
}
