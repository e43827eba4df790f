//! One tail: its query, how far it has come, and where its events go.

use std::sync::Arc;

use sekali_store::StoredEvent;

use super::{TailOutput, TailPosition};
use crate::access::Lease;
use crate::query::EventQuery;

use super::output::Flushed;

/// A tail of the events of a query.
pub(crate) struct Tail {
    pub(crate) query: Arc<EventQuery>,
    /// Everything up to here was looked at.
    pub(crate) position: TailPosition,
    /// Where its events go. Without it, the tail only waits for one.
    pub(crate) output: Option<TailOutput>,
    /// The right of its client to see anything.
    pub(crate) lease: Lease,
}

/// Whether a tail can stay among the live ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// It can.
    Live,
    /// It goes back to its own task.
    Return,
    /// Its client has gone, or may see no more.
    End,
}

impl Tail {
    /// Takes an event of a topic that it wants.
    pub(super) fn take(&mut self, partition: usize, event: &StoredEvent) -> Stay {
        if event.seq <= self.position.get(partition) || !self.query.filter.matches(&event.view()) {
            return Stay::Live;
        }
        let Some(output) = &mut self.output else { return Stay::Return };
        self.position.raise(partition, event.seq);
        output.add(event, &self.position);
        if output.is_full() { self.flush() } else { Stay::Live }
    }

    /// Hands over what there is.
    pub(super) fn flush(&mut self) -> Stay {
        let Some(output) = &mut self.output else { return Stay::Live };
        match output.flush(&self.position) {
            Flushed::Sent => Stay::Live,
            Flushed::Full => Stay::Return,
            Flushed::Gone => Stay::End,
        }
    }

    /// Looks after a tail that may be silent, and has looked at everything up to `position`.
    pub(super) fn tick(&mut self, position: &TailPosition) -> Stay {
        if !self.lease.holds() {
            return Stay::End;
        }
        self.position.raise_to(position);
        if let Some(output) = &mut self.output {
            output.keep_alive(&self.position);
        }
        self.flush()
    }

    /// Goes back to behind what was sent.
    pub(super) fn rewind(&mut self) {
        if let Some(output) = &mut self.output
            && !output.is_empty()
        {
            self.position = output.rewind();
        }
    }
}
