//! Reading what has no order to go on by, in one go. A thread of its own holds the query open.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::{Connection, Error, Result};

use super::cell::{CELLS, event_of};
use super::connection::is_damage;
use super::keyed::place_of;
use super::table::{Table, quoted};
use super::{CHUNK_BYTES, CHUNK_ROWS, Fetched, gap};

/// A query that is under way.
pub(super) struct Scan {
    chunks: Receiver<Chunk>,
    is_done: bool,
}

enum Chunk {
    Rows(VecDeque<Fetched>),
    /// There are no more rows.
    End,
    Failed(Error),
}

impl Scan {
    /// Begins to read. The lock that keeps writers out (not in WAL mode) is held until the last row
    /// was handed on.
    pub(super) fn start(database: Connection, table: &Table) -> Result<Self> {
        let sql = format!("SELECT {CELLS} FROM {} AS t", quoted(&table.name));
        database.prepare(&sql)?;
        // One chunk waits while the next is read.
        let (sender, chunks) = sync_channel(1);
        std::thread::spawn(move || {
            let end = match read(&database, &sql, &sender) {
                Ok(()) => Chunk::End,
                Err(error) => Chunk::Failed(error),
            };
            // The receiver may be gone.
            let _ = sender.send(end);
        });
        Ok(Self { chunks, is_done: false })
    }

    /// Appends the next rows; nothing at the end.
    pub(super) fn fetch(&mut self, fetched: &mut VecDeque<Fetched>) -> Result<()> {
        while fetched.is_empty() && !self.is_done {
            match self.chunks.recv() {
                Ok(Chunk::Rows(rows)) => fetched.extend(rows),
                Ok(Chunk::End) => self.is_done = true,
                Ok(Chunk::Failed(error)) => return Err(error),
                // The thread broke down, and rows may be missing.
                Err(_) => return Err(Error::UnwindingPanic),
            }
        }
        Ok(())
    }
}

fn read(database: &Connection, sql: &str, chunks: &SyncSender<Chunk>) -> Result<()> {
    let mut select = database.prepare(sql)?;
    let mut rows = select.query([])?;
    let (mut chunk, mut bytes, mut number) = (VecDeque::new(), 0, 0);
    let result = loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break Ok(()),
            Err(error) if is_damage(&error) => {
                chunk.push_back(gap::unreachable(number, None, &error.to_string()));
                break Ok(());
            }
            Err(error) => break Err(error),
        };
        number += 1;
        let read = Fetched::Row { place: place_of(number), event: event_of(row, 0)? };
        bytes += read.bytes();
        chunk.push_back(read);
        if chunk.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            bytes = 0;
            if chunks.send(Chunk::Rows(std::mem::take(&mut chunk))).is_err() {
                return Ok(());
            }
        }
    };
    // What was read before an error is handed on all the same.
    let _ = chunks.send(Chunk::Rows(chunk));
    result
}
