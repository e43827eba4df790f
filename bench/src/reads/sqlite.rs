//! `SQLite` with the same events: rows by seq, and an index for each way of reading.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{PAYLOAD_BYTES, Source};
use crate::Outcome;
use crate::measure::Generator;

pub(super) struct Sqlite(Connection);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -262144;
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, event_id TEXT NOT NULL, timestamp INTEGER NOT NULL,
        source TEXT NOT NULL, payload TEXT NOT NULL, received_at INTEGER NOT NULL
    );";
/// Created after the rows, which is faster.
const INDEXES: &str = "
    CREATE UNIQUE INDEX by_key ON events (topic, event_id);
    CREATE INDEX by_topic ON events (topic, seq);
    PRAGMA wal_checkpoint(TRUNCATE);";

impl Sqlite {
    pub(super) fn fill(path: &Path, events: u64) -> Outcome<Self> {
        let mut connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        let mut generator = Generator::new(PAYLOAD_BYTES);
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)")?;
            for number in 0..events {
                let event = generator.event(number);
                let payload = std::str::from_utf8(event.payload)?;
                let (seq, received_at) = (number as i64 + 1, number as i64);
                insert.execute(params![
                    seq,
                    event.topic,
                    event.event_id,
                    event.timestamp_ns,
                    event.source,
                    payload,
                    received_at
                ])?;
            }
        }
        transaction.commit()?;
        connection.execute_batch(INDEXES)?;
        Ok(Self(connection))
    }
}

/// All columns of a row, as owned values.
fn whole(row: &Row<'_>) -> rusqlite::Result<(i64, String, String, i64, String, String, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

impl Source for Sqlite {
    fn find(&self, topic: &str, event_id: &str) -> Outcome<Option<Vec<u8>>> {
        let mut query = self.0.prepare_cached("SELECT * FROM events WHERE topic = ? AND event_id = ?")?;
        let found = query.query_row(params![topic, event_id], whole).optional()?;
        Ok(found.map(|row| row.5.into_bytes()))
    }

    fn page(&self, topic: &str, after: u64, limit: usize) -> Outcome<usize> {
        let text = "SELECT * FROM events INDEXED BY by_topic WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?";
        let mut query = self.0.prepare_cached(text)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![topic, after as i64, limit], whole)?;
        rows.map(|row| Ok(row.map(drop)?)).collect::<Outcome<Vec<()>>>().map(|rows| rows.len())
    }
}
