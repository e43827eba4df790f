//! The outcome of publishing one event.

/// What became of one published event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its key was new. It is stored, as `seq`.
    Stored {
        /// Its position in the partition.
        seq: u64,
    },
    /// Its key was known, with the same content, as `seq`.
    Duplicate {
        /// The position of the event that is stored.
        seq: u64,
    },
    /// Its key was known, as `seq`, with different content, which is kept in
    /// [`crate::CONFLICTS_TOPIC`].
    Conflict {
        /// The position of the event that is stored.
        seq: u64,
    },
}
