//! The end of a statement before its time: by the clock, by its client, or by the disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::ffi;
use sekali_store::limits::FREE_BYTES_MIN;

use super::SqlError;
use crate::limits::SQL_SPILL_SHARE;
use crate::query::QueryError;

/// How many events pass between looks at the clock: some 5 µs.
const EVENTS_BETWEEN_LOOKS: u64 = 8;
/// How long between looks at the disk.
const SPACE_INTERVAL: Duration = Duration::from_millis(100);

/// Free bytes of the disk that statements spill to. `None` if that is not known.
pub(super) type FreeSpace = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// Watches one statement.
pub(super) struct Watch {
    /// `None` if nobody can go away.
    client: Option<Weak<()>>,
    begun: Instant,
    within: Duration,
    free: FreeSpace,
    /// At the beginning.
    free_bytes: u64,
    space_seen_ms: AtomicU64,
    events: AtomicU64,
    ended: Mutex<Option<SqlError>>,
}

impl Watch {
    pub(super) fn new(client: Option<Weak<()>>, within: Duration, free: FreeSpace) -> Self {
        let free_bytes = free().unwrap_or(u64::MAX);
        Self {
            client,
            begun: Instant::now(),
            within,
            free,
            free_bytes,
            space_seen_ms: AtomicU64::new(0),
            events: AtomicU64::new(0),
            ended: Mutex::new(None),
        }
    }

    /// Events read so far.
    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Counts an event that was read.
    ///
    /// # Errors
    /// The statement must end.
    pub(super) fn count(&self) -> rusqlite::Result<()> {
        let events = self.events.fetch_add(1, Ordering::Relaxed);
        if events.is_multiple_of(EVENTS_BETWEEN_LOOKS) && self.is_over() { Err(interrupted()) } else { Ok(()) }
    }

    /// Ends the statement, since events could not be read.
    pub(super) fn fail(&self, error: sekali_store::Error) -> rusqlite::Error {
        self.end(SqlError::Query(QueryError::Store(error)));
        interrupted()
    }

    /// Whether the statement must end.
    pub(super) fn is_over(&self) -> bool {
        let elapsed = self.begun.elapsed();
        if self.client.as_ref().is_some_and(|client| client.strong_count() == 0) {
            self.end(SqlError::Gone);
            return true;
        }
        if elapsed >= self.within {
            self.end(SqlError::Timeout { within: self.within, events: self.events() });
            return true;
        }
        let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if ms.saturating_sub(self.space_seen_ms.load(Ordering::Relaxed)) >= SPACE_INTERVAL.as_millis() as u64 {
            self.space_seen_ms.store(ms, Ordering::Relaxed);
            if self.fills_disk() {
                self.end(SqlError::TooMuchDisk);
                return true;
            }
        }
        false
    }

    /// Whether the disk has lost much of its free space meanwhile. Others write to it, too, so this
    /// may be too soon, and it leaves room for the merge of what was sorted in parts.
    fn fills_disk(&self) -> bool {
        let Some(free) = (self.free)() else { return false };
        let least = (self.free_bytes - self.free_bytes / SQL_SPILL_SHARE).max(2 * FREE_BYTES_MIN);
        free < least && self.free_bytes != u64::MAX
    }

    /// The first reason wins.
    fn end(&self, error: SqlError) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Why it was ended, if it was.
    pub(super) fn take_end(&self) -> Option<SqlError> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn interrupted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), Some("interrupted".to_owned()))
}
