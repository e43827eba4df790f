//! SQLite in this process: without server and network, so it has less work than the others.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use sekali::bench::{Body, Load, SOURCE, TIMESTAMP};
use tokio::runtime::Handle;

use crate::Outcome;
use crate::closed_loop::{self, Session};
use crate::peer::{About, Kind, Measured, Peer, Running, Shape};
use crate::place::Place;

pub(super) struct Sqlite;

impl Peer for Sqlite {
    fn about(&self) -> About {
        About {
            name: "sqlite",
            what: "SQLite in the load generator's process: WAL, synchronous=FULL, INSERT OR IGNORE, a transaction a batch",
            acknowledgement: "the transaction is committed and the WAL synced to disk; JSON is not validated",
            is_durable: true,
            kind: Kind::Batches,
            // As many events in a transaction as Sekali's connections have in flight: SQLite has no
            // group commit.
            shape: Shape { connections: 1, batch_size: 8_000 },
        }
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let path = place.data.join("events.db");
        let connection = open(&path)?;
        connection.execute_batch(
            "CREATE TABLE events (
                topic TEXT NOT NULL, event_id TEXT NOT NULL, timestamp TEXT NOT NULL, source TEXT NOT NULL,
                payload TEXT NOT NULL, PRIMARY KEY (topic, event_id))",
        )?;
        Ok(Box::new(Database { path, runtime: place.runtime() }))
    }
}

fn open(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;
         PRAGMA wal_autocheckpoint=16384",
    )?;
    Ok(connection)
}

struct Database {
    path: PathBuf,
    runtime: Handle,
}

impl Running for Database {
    fn version(&mut self) -> Outcome<String> {
        Ok(format!("SQLite {}", rusqlite::version()))
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let sessions = (0..load.connections).map(|_| Ok(Writer(open(&self.path)?))).collect::<Outcome<Vec<_>>>()?;
        self.runtime.block_on(closed_loop::run(sessions, load))
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        let count: i64 = open(&self.path)?.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
        Ok(Some(u64::try_from(count)?))
    }
}

struct Writer(Connection);

impl Session for Writer {
    /// Blocks its thread, which has no other work.
    async fn publish(&mut self, body: &Body) -> Outcome<()> {
        let transaction = self.0.transaction()?;
        let mut insert = transaction.prepare("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)")?;
        for event in body.events() {
            insert.execute(params![event.topic, event.event_id, TIMESTAMP, SOURCE, event.payload])?;
        }
        drop(insert);
        Ok(transaction.commit()?)
    }
}
