//! Reading all events of a query, or the newest of them, into something that adds them up.

use std::time::{Duration, Instant};

use sekali_store::{Order, StoredEvent};

use super::{EventCursor, QueryError, ScanBudget, Step};

/// Adds up events.
pub(crate) trait Aggregate: Send + 'static {
    /// Takes the next event.
    ///
    /// # Errors
    /// It cannot be added, and reading ends.
    fn add(&mut self, event: &StoredEvent) -> Result<(), QueryError>;
}

/// Which part of the events of a query to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadExtent {
    /// Direction.
    pub(crate) order: Order,
    /// Most events that match.
    pub(crate) max: u64,
    /// Longest time.
    pub(crate) within: Duration,
}

/// How far a reading came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ReadReport {
    /// Events that were looked at.
    pub(crate) events: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// Why it ended.
    pub(crate) end: ReadEnd,
}

/// Why a reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    /// There are no more events.
    All,
    /// It found as many as were asked for, and there may be more.
    Enough,
    /// Its time was up, or its client has gone.
    OutOfTime,
}

/// A reading in progress, in turns.
pub(crate) struct AggregateScan<A> {
    cursor: EventCursor,
    max: u64,
    budget: ScanBudget,
    /// `None` once it was returned.
    total: Option<A>,
    begun: Instant,
    events: u64,
    found: u64,
}

impl<A: Aggregate> AggregateScan<A> {
    /// Adds up the events of a cursor, at most `max`, until the budget is spent.
    pub(crate) fn new(cursor: EventCursor, max: u64, budget: ScanBudget, total: A) -> Self {
        Self { cursor, max, budget, total: Some(total), begun: Instant::now(), events: 0, found: 0 }
    }

    /// Reads on. Returns the total at its end; `None` if only the turn is over.
    ///
    /// # Errors
    /// Those of the engine and of the aggregate.
    pub(crate) fn turn(&mut self) -> Result<Option<(A, ReadReport)>, QueryError> {
        self.budget.begin_turn();
        let Some(total) = &mut self.total else { return Ok(None) };
        let end = loop {
            let bytes = match self.cursor.step()? {
                Step::Event(event) => {
                    self.found += 1;
                    total.add(&event)?;
                    event.payload.len()
                }
                Step::Passed(bytes) => bytes,
                Step::End => break ReadEnd::All,
            };
            self.events += 1;
            if self.found >= self.max {
                break if self.cursor.has_more()? { ReadEnd::Enough } else { ReadEnd::All };
            }
            if !self.budget.lasts(bytes) {
                break ReadEnd::OutOfTime;
            }
            if self.budget.is_turn_over() {
                return Ok(None);
            }
        };
        let report = ReadReport { events: self.events, time: self.begun.elapsed(), end };
        Ok(self.total.take().map(|total| (total, report)))
    }
}
