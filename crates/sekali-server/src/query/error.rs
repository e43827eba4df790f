//! Why a query has no answer.

use super::TooManyIntervals;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// As many reads are in progress as there may be. Trying again will help.
    #[error("too much is being read; try again")]
    Busy,
    /// Answers that wait to be sent take up all memory that this client may have for them. Trying
    /// again will help.
    #[error("too many answers are waiting to be read by this client; read them, and try again")]
    AnswersFull,
    /// A cursor that this store did not seal for this order and topic.
    #[error(
        "the cursor is damaged, or belongs to another store, order or topic; leave `after` out to begin at the beginning"
    )]
    InvalidCursor,
    /// A histogram would have too many intervals.
    #[error(transparent)]
    TooManyIntervals(#[from] TooManyIntervals),
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] sekali_store::Error),
    /// The thread that read has panicked, or the server is ending.
    #[error("a read broke off: {0}")]
    Broken(String),
}
