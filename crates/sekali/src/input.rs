//! Reading events that people have, of any size, in flat memory: NDJSON, JSON and CSV from files or
//! standard input, also compressed or in UTF-16, SQLite and Parquet from files.
//!
//! A reader hands on the JSON text of one event at a time. Whether that is a *valid* event is for
//! the server to say; here only what would spoil a whole request is found: text that is not JSON at
//! all.

mod check;
mod csv;
mod evidence;
mod feed;
mod format;
mod json;
mod linger;
mod ndjson;
mod packed;
mod parquet;
mod peek;
mod progress;
mod python;
mod row;
mod shape;
mod source;
mod sqlite;
mod utf16;

pub(crate) use check::check;
pub use feed::{Feed, Origin, Pacing, feed};
pub use format::InputFormat;
pub use shape::Shape;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use shape::Mapper;

use sekali_wire::json::quoting_hint;
use sekali_wire::timestamp::Timestamp;

/// Longest text of one event that is read, in bytes: the largest payload, even if every byte of it
/// is escaped.
pub const EVENT_TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () = {
    assert!(EVENT_TEXT_BYTES_MAX >= 7 * sekali_store::limits::PAYLOAD_BYTES_MAX);
    assert!(EVENT_TEXT_BYTES_MAX < sekali_wire::limits::BODY_BYTES_MAX);
};

/// Longest piece of the input that an error shows, in characters.
const SHOWN_CHARS_MAX: usize = 20;

/// How files are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How events are written down, unless each file is to be told by its name or beginning.
    pub format: Option<InputFormat>,
    /// The kind of its records, where they are no events.
    pub shape: Option<Shape>,
    /// The table of a SQLite database, unless it is to be found by its columns.
    pub table: Option<String>,
    /// Whether that of which no event can be made is passed over and reported. Otherwise it goes
    /// along, so that the server refuses the batch and names everything that is wrong in it.
    pub skip_bad: bool,
    /// Whether evidence of conflicts is turned into the events that conflicted.
    pub take_evidence: bool,
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system refused.
    #[error("cannot read {name}: {source}")]
    Io {
        /// The file, or `stdin`.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// The file is not what its format demands, and where it goes on is anybody's guess.
    #[error("{name}:{line}: {reason}")]
    Syntax {
        /// The file, or `stdin`.
        name: String,
        /// Counted from 1.
        line: i64,
        /// The fault.
        reason: String,
    },
    /// Neither the name nor the beginning of the input tells what it is.
    #[error("cannot tell the format of {name}: say --format ndjson, json, csv, sqlite or parquet")]
    UnknownFormat {
        /// The file, or `stdin`.
        name: String,
    },
    /// Something of which no event can be read: it is of another kind, damaged at its root, or
    /// lacks what events are made of.
    #[error("cannot read events from {name}: {reason}")]
    Unusable {
        /// The file.
        name: String,
        /// The fault.
        reason: String,
    },
}

impl InputError {
    /// Of an error while reading the line of this number: the device's own, or damage that was
    /// found while decompressing.
    fn reading(name: &str, line: i64, source: io::Error) -> Self {
        let name = name.to_owned();
        match source.kind() {
            io::ErrorKind::InvalidData => Self::Syntax { name, line, reason: source.to_string() },
            _ => Self::Io { name, source },
        }
    }

    /// Whether the input itself is at fault, and not what it is read from.
    pub fn is_of_the_data(&self) -> bool {
        matches!(self, Self::Syntax { .. } | Self::UnknownFormat { .. } | Self::Unusable { .. })
    }
}

/// A record that a reader found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The buffer holds the JSON text of an event that begins in this line, counted from 1.
    Event {
        /// Counted from 1; in Parquet the number of the row, in SQLite its rowid, which may be
        /// negative.
        line: i64,
    },
    /// No event can be made of what stands here; the next record is not affected.
    Invalid {
        /// As for an event.
        line: i64,
        /// How many rows or lines are lost; 0 where something is wrong and nothing is lost.
        rows: u64,
        /// The fault.
        reason: String,
    },
}

/// A line or row of which no event can be made.
fn invalid(line: i64, reason: String) -> Record {
    Record::Invalid { line, rows: 1, reason }
}

/// Something that yields events one at a time.
pub trait ReadEvents {
    /// Replaces the contents of `event` with the next event; `None` at the end.
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError>;
}

/// Opens the right reader for `input`, which is text, perhaps compressed; `name` is what error
/// messages call it.
pub fn reader(
    input: impl Read + Send + 'static,
    name: &str,
    options: &Options,
) -> Result<Box<dyn ReadEvents>, InputError> {
    let failed = |error| InputError::reading(name, 1, error);
    let unusable = |reason| InputError::Unusable { name: name.to_owned(), reason };
    let packed = peek::Peeked::new(input).map_err(failed)?;
    let text = packed::unpack(packed).map_err(failed)?.map_err(unusable)?;
    let peeked = utf16::to_utf8(text).map_err(failed)?.map_err(unusable)?;
    match &options.shape {
        Some(Shape::Lines { topic, source }) => {
            return Ok(shape::lines(peeked.into_input(), name, topic, source, now()));
        }
        Some(Shape::Journal { topic }) => return Ok(shape::journal(peeked.into_input(), name, topic.clone(), now())),
        Some(Shape::Mapped { mapping, records }) => {
            let mapper = Mapper::new(Arc::clone(mapping), now());
            return mapped(peeked, name, options.format, records.as_deref(), mapper);
        }
        None => {}
    }
    let format = format_of(&peeked, name, options.format)?;
    let input = peeked.into_input();
    Ok(match format {
        InputFormat::Ndjson => Box::new(ndjson::NdjsonLines::new(input, name)),
        InputFormat::Json => Box::new(json::Values::new(input, name, json::EVENTS)),
        InputFormat::Csv => Box::new(csv::CsvRows::new(input, name)?),
        InputFormat::Sqlite | InputFormat::Parquet => {
            let reason = "SQLite and Parquet are read from files that are not compressed, and not from a pipe";
            return Err(unusable(reason.to_owned()));
        }
    })
}

/// The format that was named, or the one that name or beginning of the input tell.
fn format_of(peeked: &peek::Peeked, name: &str, named: Option<InputFormat>) -> Result<InputFormat, InputError> {
    let format = named.or_else(|| InputFormat::of_name(name)).or_else(|| InputFormat::sniff(peeked.beginning()));
    format.ok_or_else(|| InputError::UnknownFormat { name: name.to_owned() })
}

/// A reader of records of any shape.
fn mapped(
    peeked: peek::Peeked,
    name: &str,
    named: Option<InputFormat>,
    records: Option<&str>,
    mapper: Mapper,
) -> Result<Box<dyn ReadEvents>, InputError> {
    let format = format_of(&peeked, name, named)?;
    let input = peeked.into_input();
    let values: Box<dyn ReadEvents> = match (format, records) {
        (InputFormat::Csv, None) => return Ok(Box::new(csv::AnyRows::new(input, name, mapper)?)),
        (InputFormat::Json | InputFormat::Ndjson, Some(records)) => Box::new(json::Values::new(input, name, records)),
        (InputFormat::Json, None) => Box::new(json::Values::new(input, name, json::EVENTS)),
        (InputFormat::Ndjson, None) => Box::new(ndjson::NdjsonLines::new(input, name)),
        (InputFormat::Csv | InputFormat::Sqlite | InputFormat::Parquet, _) => {
            let reason = match records {
                Some(_) => "only JSON has an array of records inside; leave --records out",
                None => "SQLite and Parquet are not mapped; JSON and CSV are",
            };
            return Err(InputError::Unusable { name: name.to_owned(), reason: reason.to_owned() });
        }
    };
    Ok(Box::new(shape::MappedRecords::new(values, mapper)))
}

/// The time, for records that have none.
fn now() -> String {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_nanos()).unwrap_or(0)).to_string()
}

/// Why `text` is not one JSON value, if it is not.
fn syntax_error(text: &[u8]) -> Option<String> {
    if let Err(error) = std::str::from_utf8(text) {
        return Some(format!("not UTF-8 at byte {} of the event", error.valid_up_to() + 1));
    }
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(text).err()?;
    Some(format!("not JSON: {}", json_reason(text, &error)))
}

/// The fault of text that a JSON parser refused: a mistake of the shell, or the beginning, if no
/// JSON begins like that, or else the parser's message.
fn json_reason(text: &[u8], error: &serde_json::Error) -> String {
    let text = text.trim_ascii();
    if let Some(hint) = quoting_hint(text) {
        return hint.to_owned();
    }
    match text.first() {
        None => return "it is empty".to_owned(),
        Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9') => {}
        Some(_) if [&b"true"[..], b"false", b"null"].iter().any(|word| text.starts_with(word)) => {}
        Some(_) => {
            let text = String::from_utf8_lossy(text);
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            return format!("it begins with {shown:?}");
        }
    }
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    match error.line() {
        0 | 1 => format!("{what} at column {}", error.column()),
        line => format!("{what} at line {line}, column {}", error.column()),
    }
}

#[cfg(test)]
fn read_all(text: &'static str, name: &str, format: Option<InputFormat>) -> Result<Vec<String>, InputError> {
    let mut reader = reader(text.as_bytes(), name, &Options { format, ..Options::default() })?;
    let (mut event, mut found) = (Vec::new(), Vec::new());
    loop {
        let text = match reader.next(&mut event) {
            Ok(None) => return Ok(found),
            Ok(Some(Record::Event { line })) => format!("{line}: {}", String::from_utf8_lossy(&event)),
            Ok(Some(Record::Invalid { line, reason, .. })) => format!("{line}: invalid, {reason}"),
            Err(error) if found.is_empty() => return Err(error),
            // What was read before counts.
            Err(error) => {
                found.push(format!("error: {error}"));
                return Ok(found);
            }
        };
        found.push(text);
    }
}
