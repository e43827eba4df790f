//! Why a statement has no answer.

use std::time::Duration;

use crate::limits::{SQL_ANSWER_BYTES_MAX, SQL_MEMORY_BYTES_MAX, SQL_ROWS_MAX, SQL_VALUE_BYTES_MAX};
use crate::query::QueryError;

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// SQLite does not understand it, or a value in it has no meaning.
    #[error("{reason}{}", place.map(|place| place.to_string()).unwrap_or_default())]
    Invalid {
        /// The reason.
        reason: String,
        /// The place, if SQLite names one.
        place: Option<StatementPlace>,
    },
    /// It would do something else than read.
    #[error("{0}: a statement can only read, by SELECT, WITH or VALUES")]
    Writes(String),
    /// It uses a table or function that is not there for statements.
    #[error("{0}")]
    NotAllowed(String),
    /// It reads topics that its client has no right to.
    #[error("this key is not for `{0}`")]
    Forbidden(&'static str),
    /// Its time was up before it had a row.
    #[error(
        "no row within {} s, after reading {events} events: narrow it down by topic and timestamp, allow more by \
         `within` (up to 60s), or count by GET /events/count",
        within.as_secs_f64()
    )]
    Timeout {
        /// The time that it had.
        within: Duration,
        /// The events that it has read.
        events: u64,
    },
    /// It needs more memory than there is for statements.
    #[error(
        "the statement needs too much memory (all together may have {} MiB): select fewer columns, or shorter values",
        SQL_MEMORY_BYTES_MAX >> 20
    )]
    TooMuchMemory,
    /// It sorts more than the disk has room for.
    #[error("the statement sorts more than the disk has room for: narrow it down by topic and timestamp")]
    TooMuchDisk,
    /// A value, or a row that is sorted, is too large.
    #[error("a value or row has more than {} MiB: take a part of it by substr or ->>", SQL_VALUE_BYTES_MAX >> 20)]
    ValueTooLarge,
    /// Its answer is too large for lines or CSV, which cannot say that they are not all.
    #[error(
        "the answer has more than {SQL_ROWS_MAX} rows or {} MiB: add LIMIT, or take the events by GET /events",
        SQL_ANSWER_BYTES_MAX >> 20
    )]
    AnswerTooLarge,
    /// The client does not wait for the answer any more.
    #[error("the client has gone")]
    Gone,
    /// The events could not be read, or too much is read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl SqlError {
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into(), place: None }
    }
}

/// A place in the text of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementPlace {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

impl StatementPlace {
    /// The place of a byte. `None` if there is none.
    pub(super) fn of(text: &str, offset: i32) -> Option<Self> {
        let before = text.get(..usize::try_from(offset).ok()?)?;
        let line = before.rsplit('\n').next().unwrap_or_default();
        Some(Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 })
    }
}

impl std::fmt::Display for StatementPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, " at line {} column {}", self.line, self.column)
    }
}
