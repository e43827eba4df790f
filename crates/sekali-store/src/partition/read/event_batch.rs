//! Events that one read came upon.

use std::vec;

use crate::event::StoredEvent;
use crate::segment::DecodedEvents;

/// Events of a chunk, in the order of the read. Those of a segment stay as compact as they were
/// decoded until they are taken.
#[derive(Debug)]
pub(crate) enum EventBatch {
    /// Of a log file.
    Rows(vec::IntoIter<StoredEvent>),
    /// Of a segment, and the number of the next.
    Columns(Box<DecodedEvents>, usize),
}

impl Default for EventBatch {
    fn default() -> Self {
        Self::Rows(Vec::new().into_iter())
    }
}

impl From<DecodedEvents> for EventBatch {
    fn from(decoded: DecodedEvents) -> Self {
        Self::Columns(Box::new(decoded), 0)
    }
}

impl Iterator for EventBatch {
    type Item = StoredEvent;

    fn next(&mut self) -> Option<StoredEvent> {
        match self {
            Self::Rows(rows) => rows.next(),
            Self::Columns(decoded, next) => {
                let event = decoded.event(*next)?;
                *next += 1;
                Some(event)
            }
        }
    }
}
