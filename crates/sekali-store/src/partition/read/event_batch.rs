//! Events that one read came upon.

use std::vec;

use crate::damage::SeqSet;
use crate::event::StoredEvent;
use crate::segment::DecodedEvents;

/// Events of a chunk, in the order of the read. Those of a segment stay as compact as they were
/// decoded until they are taken.
#[derive(Debug)]
pub(crate) enum EventBatch {
    /// Of a log file.
    Rows(vec::IntoIter<StoredEvent>),
    /// Of a segment, the number of the next, and the seqs that are hidden.
    Columns(Box<DecodedEvents>, usize, SeqSet),
}

impl EventBatch {
    /// Number of events that are left.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Columns(decoded, next, _) => decoded.len().saturating_sub(*next),
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.as_slice().iter().map(StoredEvent::bytes).sum(),
            Self::Columns(decoded, ..) => decoded.bytes(),
        }
    }
}

impl Default for EventBatch {
    fn default() -> Self {
        Self::Rows(Vec::new().into_iter())
    }
}

impl EventBatch {
    /// The events of a segment, but for the `hidden` ones.
    pub(super) fn columns(decoded: DecodedEvents, hidden: SeqSet) -> Self {
        Self::Columns(Box::new(decoded), 0, hidden)
    }
}

impl Iterator for EventBatch {
    type Item = StoredEvent;

    fn next(&mut self) -> Option<StoredEvent> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Columns(decoded, next, hidden) => loop {
                let event = decoded.event(*next)?;
                *next += 1;
                if !hidden.contains(event.seq) {
                    return Some(event);
                }
            },
        }
    }
}
