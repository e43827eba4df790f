//! A SQLite database with one table.

use rusqlite::{Connection, OpenFlags, params};

use super::event::{each_event, sortable};
use super::part_file::PartFile;
use super::{ExportError, WriteEvents};

/// Events of one transaction.
const TRANSACTION_EVENTS: u64 = 50_000;

const SCHEMA: &str = "
    CREATE TABLE events (
        topic TEXT, event_id TEXT, timestamp TEXT, source TEXT, payload TEXT, seq INTEGER, received_at TEXT,
        PRIMARY KEY (topic, event_id)
    )";

/// No other process sees the file before it is complete and synced as a whole, and a broken one is
/// thrown away: there is nothing for a journal to roll back to. The cache, in KiB, holds the upper
/// levels of the key's index.
const PRAGMAS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
                       PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536";

const INSERT: &str = "INSERT INTO events (topic, event_id, timestamp, source, payload, seq, received_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Inserts events.
pub(super) struct SqliteWriter {
    database: Connection,
    file: PartFile,
    /// Events of the transaction.
    uncommitted: u64,
}

impl SqliteWriter {
    pub(super) fn create(file: PartFile) -> Result<Self, ExportError> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let database = Connection::open_with_flags(file.part(), flags)
            .and_then(|database| database.execute_batch(&format!("{PRAGMAS}; {SCHEMA}; BEGIN")).map(|()| database))
            .map_err(|error| file.format_error(error))?;
        Ok(Self { database, file, uncommitted: 0 })
    }
}

impl WriteEvents for SqliteWriter {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        let error = |error: rusqlite::Error| self.file.format_error(error);
        let mut insert = self.database.prepare(INSERT).map_err(error)?;
        each_event(lines, |event| {
            let (topic, event_id, source) = (&event.topic, &event.event_id, &event.source);
            let [timestamp, received_at] = [&event.timestamp, &event.received_at].map(|time| sortable(time));
            let row = params![topic, event_id, timestamp, source, event.payload(), event.seq, received_at];
            insert.execute(row).map_err(error)?;
            self.uncommitted += 1;
            Ok(())
        })?;
        drop(insert);
        if self.uncommitted >= TRANSACTION_EVENTS {
            self.uncommitted = 0;
            self.database.execute_batch("COMMIT; BEGIN").map_err(error)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        let Self { database, file, .. } = *self;
        database.execute_batch("COMMIT").map_err(|error| file.format_error(error))?;
        database.close().map_err(|(_, error)| file.format_error(error))?;
        file.keep()
    }
}
