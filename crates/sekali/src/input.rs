//! Reading events that people have, of any size, in flat memory: NDJSON, JSON and CSV from files or standard input, SQLite
//! and Parquet from files.
//!
//! What a reader hands on is the JSON text of one event at a time. Whether that is a *valid* event is for the server
//! to say; here only what would spoil a whole request is found: text that is not JSON at all.

mod csv;
mod feed;
mod format;
mod json;
mod linger;
mod ndjson;
mod parquet;
mod peek;
mod python;
mod row;
mod source;
mod sqlite;

pub use feed::{Feed, Origin, Pacing, feed};
pub use format::Format;

use std::io::Read;

/// Longest text of one event that is read, in bytes: the largest payload, even if every byte of it is escaped.
pub const EVENT_TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () = {
    assert!(EVENT_TEXT_BYTES_MAX >= 7 * sekali_store::limits::PAYLOAD_BYTES_MAX);
    assert!(EVENT_TEXT_BYTES_MAX < sekali_wire::limits::BODY_BYTES_MAX);
};

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system refused.
    #[error("cannot read {name}: {source}")]
    Io {
        /// The file, or `stdin`.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not what its format demands, and where it goes on is anybody's guess.
    #[error("{name}:{line}: {reason}")]
    Syntax {
        /// The file, or `stdin`.
        name: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// Neither the name nor the beginning of the input tells what it is.
    #[error("cannot tell the format of {name}: say --format ndjson, json, csv, sqlite or parquet")]
    UnknownFormat {
        /// The file, or `stdin`.
        name: String,
    },
    /// A database or Parquet file that is none, or lacks what events are made of.
    #[error("cannot read events from {name}: {reason}")]
    Unusable {
        /// The file.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// What a reader found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The buffer holds the JSON text of an event that begins in this line, counted from 1.
    Event {
        /// Counted from 1; in Parquet the number of the row, in SQLite its rowid.
        line: u64,
    },
    /// No event can be made of what stands here; the next record is not affected.
    Invalid {
        /// As for an event.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Something that yields events one at a time.
pub trait ReadEvents {
    /// Replaces the contents of `event` with the next event; `None` at the end.
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError>;
}

/// Opens the right reader for `input`, which is text; `name` is what error messages call it.
pub fn reader(
    input: impl Read + Send + 'static,
    name: &str,
    format: Option<Format>,
) -> Result<Box<dyn ReadEvents>, InputError> {
    let io_error = |source| InputError::Io { name: name.to_owned(), source };
    let peeked = peek::Peeked::new(input).map_err(io_error)?;
    let format = format
        .or_else(|| Format::of_name(name))
        .or_else(|| Format::sniff(peeked.beginning()))
        .ok_or_else(|| InputError::UnknownFormat { name: name.to_owned() })?;
    let input = peeked.without_byte_order_mark();
    Ok(match format {
        Format::Ndjson => Box::new(ndjson::Lines::new(input, name)),
        Format::Json => Box::new(json::Values::new(input, name)),
        Format::Csv => Box::new(csv::Rows::new(input, name)?),
        Format::Sqlite | Format::Parquet => {
            let reason = "SQLite and Parquet are read from files only, not from a pipe".to_owned();
            return Err(InputError::Unusable { name: name.to_owned(), reason });
        }
    })
}

/// Why `text` is not one JSON value, if it is not.
fn syntax_error(text: &[u8]) -> Option<String> {
    if let Err(error) = std::str::from_utf8(text) {
        return Some(format!("not UTF-8 at byte {} of the event", error.valid_up_to() + 1));
    }
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(text).err()?;
    Some(format!("not JSON: {}", json_reason(&error, 1)))
}

/// What a JSON parser says, with lines counted from `first_line` of the input.
fn json_reason(error: &serde_json::Error, first_line: u64) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    match error.line() {
        0 | 1 => format!("{what} at column {}", error.column()),
        line => format!("{what} at line {}, column {}", first_line + line as u64 - 1, error.column()),
    }
}

#[cfg(test)]
fn read_all(text: &'static str, name: &str, format: Option<Format>) -> Result<Vec<String>, InputError> {
    let mut reader = reader(text.as_bytes(), name, format)?;
    let (mut event, mut found) = (Vec::new(), Vec::new());
    while let Some(record) = reader.next(&mut event)? {
        found.push(match record {
            Record::Event { line } => format!("{line}: {}", String::from_utf8_lossy(&event)),
            Record::Invalid { line, reason } => format!("{line}: invalid, {reason}"),
        });
    }
    Ok(found)
}
