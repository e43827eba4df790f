//! SQLite databases with a table or view that has the columns of an event: our own exports, and the
//! database of the Python service that Sekali succeeds, which kept payloads as the `repr` of a dict
//! before it kept JSON.
//!
//! Tables are read in the order of their row numbers or keys, some rows at a time, so that no lock
//! outlasts a fetch and reading can go on behind a damaged page. Views, virtual tables, and tables
//! all names of whose row number are hidden by columns are read in one go, and where that breaks
//! off the rest is lost.

mod cell;
mod connection;
mod gap;
mod keyed;
mod scan;
mod table;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rusqlite::Error;

use self::keyed::Keyed;
use self::scan::Scan;
use self::table::Order;
use super::progress::ReadProgress;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record};

/// Rows are fetched together until they have so many bytes, or [`CHUNK_ROWS`].
const CHUNK_BYTES: usize = EVENT_TEXT_BYTES_MAX;
/// See [`CHUNK_BYTES`].
const CHUNK_ROWS: usize = 1_000;

/// Reads rows as events.
pub(super) struct SqliteRows {
    reading: Reading,
    fetched: VecDeque<Fetched>,
    path: PathBuf,
    name: String,
    progress: ReadProgress,
}

enum Reading {
    Keyed(Box<Keyed>),
    Scan(Scan),
}

/// A row, or rows that cannot be read.
#[derive(Debug)]
enum Fetched {
    Row {
        /// Its row number, or where the table has none its place in the order of reading, from 1.
        place: i64,
        /// Its event, or what keeps it from being one.
        event: Result<Vec<u8>, String>,
    },
    Gap {
        /// As for a row, of the first row that is missing.
        place: i64,
        /// How many rows are missing: exactly, or as far as can be told.
        rows: u64,
        /// The values known of it.
        reason: String,
    },
}

impl SqliteRows {
    /// Opens a database without changing it, and finds the table of this name, or the one that has
    /// events.
    pub(super) fn open(
        path: &Path,
        name: &str,
        table: Option<&str>,
        progress: ReadProgress,
    ) -> Result<Self, InputError> {
        let unusable = |reason| InputError::Unusable { name: name.to_owned(), reason };
        let database = connection::open(path).map_err(unusable)?;
        let table = table::choose(&database, table).map_err(unusable)?;
        let reading = match table.order {
            Order::None => Scan::start(database, &table).map(Reading::Scan),
            _ => Keyed::new(database, &table).map(|keyed| Reading::Keyed(Box::new(keyed))),
        };
        let reading = reading.map_err(|error| unusable(connection::reason(path, &error)))?;
        Ok(Self { reading, fetched: VecDeque::new(), path: path.to_owned(), name: name.to_owned(), progress })
    }

    fn fetch(&mut self) -> Result<(), InputError> {
        let result = match &mut self.reading {
            Reading::Keyed(keyed) => keyed.fetch(&mut self.fetched).map(|()| keyed.share()),
            Reading::Scan(scan) => scan.fetch(&mut self.fetched).map(|()| 0.0),
        };
        let share = result.map_err(|error| self.unusable(&error))?;
        self.progress.share(if self.fetched.is_empty() { 1.0 } else { share });
        Ok(())
    }

    fn unusable(&self, error: &Error) -> InputError {
        InputError::Unusable { name: self.name.clone(), reason: connection::reason(&self.path, error) }
    }
}

impl ReadEvents for SqliteRows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        if self.fetched.is_empty() {
            self.fetch()?;
        }
        Ok(match self.fetched.pop_front() {
            None => None,
            Some(Fetched::Row { place: line, event: Ok(read) }) => {
                *event = read;
                Some(Record::Event { line })
            }
            Some(Fetched::Row { place: line, event: Err(reason) }) => Some(Record::Invalid { line, rows: 1, reason }),
            Some(Fetched::Gap { place: line, rows, reason }) => Some(Record::Invalid { line, rows, reason }),
        })
    }
}

impl Fetched {
    fn bytes(&self) -> usize {
        match self {
            Self::Row { event: Ok(event), .. } => event.len(),
            Self::Row { event: Err(text), .. } | Self::Gap { reason: text, .. } => text.len(),
        }
    }
}

#[cfg(test)]
mod tests;
