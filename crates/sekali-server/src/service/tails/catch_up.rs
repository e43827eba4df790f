//! A tail that reads by itself, from the store, until it has caught up.

use std::sync::Arc;
use std::time::Instant;

use sekali_store::{Order, Reader, Result};

use super::Tail;
use crate::limits::STREAM_READ_MAX;
use crate::query::{EventCursor, Step};

/// A reading behind the position of a tail.
pub(super) struct CatchUp {
    cursor: EventCursor,
    /// The last events when it began: beyond the end of the reading there is nothing before these.
    ends: Vec<u64>,
}

impl CatchUp {
    /// Begins where the tail is.
    pub(super) fn new(readers: &[Reader], tail: &Tail) -> Self {
        // First, so that the cursor sees all of them.
        let ends = readers.iter().map(Reader::last_seq).collect();
        let positions = tail.position.positions().clone();
        Self { cursor: EventCursor::new(readers, Arc::clone(&tail.query), Order::Ascending, positions), ends }
    }

    /// Reads until there is a piece to send, or for a while. Returns whether the tail has caught
    /// up. Blocks.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn turn(&mut self, tail: &mut Tail) -> Result<bool> {
        let begun = Instant::now();
        let Some(output) = &mut tail.output else { return Ok(true) };
        while !output.is_full() && begun.elapsed() < STREAM_READ_MAX {
            match self.cursor.step()? {
                Step::Event(event) => {
                    tail.position.follow(self.cursor.positions());
                    output.add(&event, &tail.position);
                }
                Step::Passed(_) | Step::PassedMany(_) | Step::Columns(_) => {}
                Step::End => {
                    self.ends.iter().enumerate().for_each(|(at, &end)| tail.position.raise(at, end));
                    return Ok(true);
                }
            }
        }
        tail.position.follow(self.cursor.positions());
        Ok(false)
    }

    /// See [`EventCursor::release`].
    pub(super) fn release(&mut self) {
        self.cursor.release();
    }
}
