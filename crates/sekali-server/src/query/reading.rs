//! Reading all events of a query, or the newest of them, into something that adds them up.

use std::time::{Duration, Instant};

use sekali_store::{ColumnRows, EventView, Order};

use super::reader_view::ReaderView;
use super::{EventCursor, QueryError, ScanBudget, Step};

/// Adds up events.
pub(crate) trait Aggregate: Send + 'static {
    /// The columns that it looks at.
    fn view(&self) -> ReaderView;

    /// Takes columns of events, of the topics that it `wants`. Answers how many events that are.
    ///
    /// # Errors
    /// They cannot be added, and reading ends.
    fn add_columns(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let _ = (columns, wants);
        Ok(0)
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// It cannot be added, and reading ends.
    fn add(&mut self, event: &EventView<'_>) -> Result<(), QueryError>;
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
            let step = self.cursor.step_with(|event| total.add(&event).map(|()| event.payload.len()))?;
            let bytes = match step {
                Step::Event(added) => {
                    self.found += 1;
                    added?
                }
                Step::Passed(bytes) => bytes,
                step => {
                    match step {
                        Step::PassedMany(events) => self.events += events,
                        Step::Columns(columns) => {
                            self.events += columns.looked_at();
                            let cursor = &self.cursor;
                            self.found += total.add_columns(&columns, &|topic| cursor.wants(topic))?;
                        }
                        Step::End | Step::Event(_) | Step::Passed(_) => break ReadEnd::All,
                    }
                    if !self.budget.lasts_over_many() {
                        break ReadEnd::OutOfTime;
                    }
                    if self.budget.is_turn_over() {
                        return Ok(None);
                    }
                    continue;
                }
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
        self.events += self.cursor.take_passed();
        let report = ReadReport { events: self.events, time: self.begun.elapsed(), end };
        Ok(self.total.take().map(|total| (total, report)))
    }
}
