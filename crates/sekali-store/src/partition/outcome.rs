//! The outcome of publishing one event, and of deciding one batch.

/// The outcome of publishing one event.
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
    /// [`crate::CONFLICTS_TOPIC`]. Where the stored event has expired, other bytes are different
    /// content.
    Conflict {
        /// The position of the event that is stored.
        seq: u64,
    },
}

/// The outcome that an event would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preview {
    /// Its key is new: it would be stored.
    New,
    /// It would be a duplicate.
    Duplicate {
        /// The position of the event that is stored; `None` if that is one of the same batch.
        seq: Option<u64>,
    },
    /// It would be a conflict.
    Conflict {
        /// The position of the event that is stored; `None` if that is one of the same batch.
        seq: Option<u64>,
    },
}

/// The decision of a commit about one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The outcome of each of its events, in order.
    Decided(Vec<Outcome>),
    /// Nothing yet: an event has a known key and other bytes than the stored event. The batch is
    /// not part of the commit. Once the commit has ended,
    /// [`Reader::compare`](crate::Reader::compare) finds out what is needed; then it can be decided
    /// in a later one.
    SetAside,
}

impl Decision {
    /// The outcomes, if there are any.
    pub fn outcomes(self) -> Option<Vec<Outcome>> {
        match self {
            Self::Decided(outcomes) => Some(outcomes),
            Self::SetAside => None,
        }
    }
}
