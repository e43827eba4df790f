//! A page of bounded size.

use sekali_store::StoredEvent;

use super::{EventCursor, QueryError, ScanBudget, Step};

/// A page that is being read, in turns.
#[derive(Debug)]
pub(crate) struct PageScan {
    limit: u64,
    count: u64,
    budget: Option<ScanBudget>,
}

impl PageScan {
    /// A page of at most `limit` events. Without a budget it has one turn.
    pub(crate) fn new(limit: u64, budget: Option<ScanBudget>) -> Self {
        Self { limit, count: 0, budget }
    }

    /// Hands events to `append` until it has as many as it may, `append` says that the page is
    /// full, the budget is spent or there are no more. Returns then whether there are more events,
    /// which may match or not; `None` if only the turn is over.
    ///
    /// # Errors
    /// Those of the engine and of `append`.
    pub(crate) fn turn(
        &mut self,
        cursor: &mut EventCursor,
        mut append: impl FnMut(&StoredEvent) -> Result<Fill, QueryError>,
    ) -> Result<Option<bool>, QueryError> {
        if let Some(budget) = &mut self.budget {
            budget.begin_turn();
        }
        while self.count < self.limit {
            let bytes = match cursor.step()? {
                Step::Event(event) => {
                    self.count += 1;
                    if append(&event)? == Fill::Full {
                        break;
                    }
                    Some(event.payload.len())
                }
                Step::Passed(bytes) => Some(bytes),
                Step::PassedMany(_) | Step::Columns(_) => None,
                Step::End => break,
            };
            let Some(budget) = &mut self.budget else { continue };
            let lasts = match bytes {
                Some(bytes) => budget.lasts(bytes),
                None => budget.lasts_over_many(),
            };
            if !lasts {
                break;
            }
            if budget.is_turn_over() {
                return Ok(None);
            }
        }
        Ok(Some(cursor.has_more()?))
    }
}

/// Whether a page takes another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// It takes more.
    Room,
    /// It is full.
    Full,
}
