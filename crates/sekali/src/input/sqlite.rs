//! SQLite databases with a table `events(topic, event_id, timestamp, source, payload)`: our own exports, and the database
//! of the Python service that Sekali succeeds, which kept payloads as the `repr` of a dict before it kept JSON.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::row::write_event;
use super::source::Progress;
use super::{EVENT_TEXT_BYTES_MAX, InputError, ReadEvents, Record, python, syntax_error};
use sekali_wire::columns::EVENT;

/// Rows are fetched together until they have so many bytes, or [`CHUNK_ROWS`].
const CHUNK_BYTES: usize = EVENT_TEXT_BYTES_MAX;
/// See [`CHUNK_BYTES`].
const CHUNK_ROWS: i64 = 1_000;

const SELECT: &str = "SELECT rowid, topic, event_id, timestamp, source, payload FROM events \
                      WHERE rowid >= ?1 ORDER BY rowid LIMIT ?2";

/// Reads the rows in the order of their rowids, some at a time: no lock outlasts a fetch.
pub(super) struct Rows {
    database: Connection,
    name: String,
    fetched: VecDeque<Fetched>,
    /// The least rowid that was not fetched; `None` after the last row.
    next: Option<i64>,
    last_rowid: i64,
    progress: Progress,
}

/// A row, as an event or as what keeps it from being one.
struct Fetched {
    rowid: i64,
    event: Result<Vec<u8>, String>,
}

impl Rows {
    /// Opens a database without changing it.
    pub(super) fn open(path: &Path, name: &str, progress: Progress) -> Result<Self, InputError> {
        let unusable = |error: rusqlite::Error| unusable(name, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(path, flags).map_err(unusable)?;
        // What a column is missing, or the table, should be known at once.
        database.prepare(SELECT).map_err(unusable)?;
        let last: Option<i64> =
            database.query_row("SELECT max(rowid) FROM events", [], |row| row.get(0)).map_err(unusable)?;
        let (fetched, name) = (VecDeque::new(), name.to_owned());
        Ok(Self { database, name, fetched, next: Some(i64::MIN), last_rowid: last.unwrap_or_default(), progress })
    }

    fn fetch(&mut self) -> Result<(), InputError> {
        let Some(from) = self.next else { return Ok(()) };
        let result = fetch(&self.database, from, &mut self.fetched);
        let last = self.fetched.back().map(|last| last.rowid);
        result.map_err(|error| {
            let place = last.map_or(format!("at or after rowid {from}"), |last| format!("after rowid {last}"));
            InputError::Unusable { name: self.name.clone(), reason: format!("{error}, {place}") }
        })?;
        self.next = last.and_then(|last| last.checked_add(1));
        #[expect(clippy::cast_precision_loss, reason = "a bar for people")]
        self.progress.share(last.map_or(1.0, |last| last as f64 / self.last_rowid.max(1) as f64));
        Ok(())
    }
}

/// Fetches some rows, beginning with that of the rowid `from`.
fn fetch(database: &Connection, from: i64, fetched: &mut VecDeque<Fetched>) -> rusqlite::Result<()> {
    let mut select = database.prepare(SELECT)?;
    let mut rows = select.query([from, CHUNK_ROWS])?;
    let mut bytes = 0;
    while bytes < CHUNK_BYTES
        && let Some(row) = rows.next()?
    {
        let row = Fetched::read(row)?;
        bytes += row.event.as_ref().map_or(0, Vec::len);
        fetched.push_back(row);
    }
    Ok(())
}

impl ReadEvents for Rows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        if self.fetched.is_empty() {
            self.fetch()?;
        }
        let Some(Fetched { rowid, event: read }) = self.fetched.pop_front() else { return Ok(None) };
        // Rowids below 0 are possible and nobody has them.
        let line = u64::try_from(rowid).unwrap_or_default();
        Ok(Some(match read {
            Ok(read) => {
                *event = read;
                Record::Event { line }
            }
            Err(reason) => Record::Invalid { line, reason },
        }))
    }
}

impl Fetched {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut cells = [ValueRef::Null; 5];
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = row.get_ref(column + 1)?;
        }
        Ok(Self { rowid: row.get(0)?, event: event_of(cells) })
    }
}

fn event_of(cells: [ValueRef<'_>; 5]) -> Result<Vec<u8>, String> {
    let mut texts: [Cow<'_, str>; 5] = Default::default();
    for ((text, cell), name) in texts.iter_mut().zip(cells).zip(EVENT) {
        *text = text_of(cell).map_err(|reason| format!("{name} {reason}"))?;
    }
    let [topic, event_id, timestamp, source, payload] = &texts;
    let payload = json_of(payload)?;
    let mut event = Vec::with_capacity(payload.len() + 256);
    write_event([topic, event_id, timestamp, source, &payload], &mut event)?;
    Ok(event)
}

fn text_of(cell: ValueRef<'_>) -> Result<Cow<'_, str>, String> {
    match cell {
        ValueRef::Text(bytes) if bytes.len() > EVENT_TEXT_BYTES_MAX => {
            Err(format!("is longer than {EVENT_TEXT_BYTES_MAX} bytes"))
        }
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| "is not UTF-8".to_owned()),
        // Columns without a type keep what was put in: ids that look like numbers are often numbers.
        ValueRef::Integer(number) => Ok(Cow::Owned(number.to_string())),
        ValueRef::Real(_) => Err("is a floating-point number, not text".to_owned()),
        ValueRef::Blob(_) => Err("is a BLOB, not text".to_owned()),
        ValueRef::Null => Err("is NULL".to_owned()),
    }
}

/// JSON stays as it is, byte for byte.
fn json_of(payload: &str) -> Result<Cow<'_, str>, String> {
    let Some(not_json) = syntax_error(payload.as_bytes()) else { return Ok(Cow::Borrowed(payload)) };
    python::to_json(payload)
        .map(Cow::Owned)
        .map_err(|not_python| format!("payload is {not_json}; nor can it be converted from Python: {not_python}"))
}

fn unusable(name: &str, error: &rusqlite::Error) -> InputError {
    let reason = format!("{error}; it needs a table events({})", EVENT.join(", "));
    InputError::Unusable { name: name.to_owned(), reason }
}
