//! Events that one read came upon.

use super::log_events::LogEvents;
use crate::damage::SeqSet;
use crate::event::{EventView, StoredEvent};
use crate::segment::DecodedEvents;

/// Events of a chunk, in the order of the read. Those of a segment stay as compact as they were
/// decoded until they are taken.
#[derive(Debug)]
pub(crate) enum EventBatch {
    /// Of a log file.
    Rows(LogEvents),
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

    /// Whether all of them are known to meet the conditions on payloads.
    pub(super) fn is_judged(&self) -> bool {
        match self {
            Self::Rows(_) => false,
            Self::Columns(decoded, ..) => decoded.is_judged(),
        }
    }

    /// How many other events were found not to meet these conditions.
    pub(super) fn passed(&self) -> u64 {
        match self {
            Self::Rows(_) => 0,
            Self::Columns(decoded, ..) => decoded.passed(),
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.bytes(),
            Self::Columns(decoded, ..) => decoded.bytes(),
        }
    }
}

impl Default for EventBatch {
    fn default() -> Self {
        Self::Rows(LogEvents::default())
    }
}

impl EventBatch {
    /// The events of a segment, but for the `hidden` ones.
    pub(super) fn columns(decoded: DecodedEvents, hidden: SeqSet) -> Self {
        let mut batch = Self::Columns(Box::new(decoded), 0, hidden);
        batch.skip_hidden();
        batch
    }

    /// The next event.
    pub(super) fn peek(&self) -> Option<EventView<'_>> {
        match self {
            Self::Rows(rows) => rows.peek(),
            Self::Columns(decoded, next, _) => decoded.view(*next),
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self) -> Option<StoredEvent> {
        let event = self.peek().map(EventView::to_event);
        self.pass();
        event
    }

    /// Goes on behind the next event. Returns its seq, where there is one.
    pub(super) fn pass(&mut self) -> Option<u64> {
        match self {
            Self::Rows(rows) => rows.pass(),
            Self::Columns(decoded, next, _) => {
                let seq = decoded.seq(*next)?;
                *next += 1;
                self.skip_hidden();
                Some(seq)
            }
        }
    }

    fn skip_hidden(&mut self) {
        if let Self::Columns(decoded, next, hidden) = self {
            while decoded.seq(*next).is_some_and(|seq| hidden.contains(seq)) {
                *next += 1;
            }
        }
    }
}
