//! The two ways to drive a cursor to an end: a page of bounded size, and a count.

use sekali_store::StoredEvent;

use super::{EventCursor, Histogram, QueryError, ScanBudget, Step};

/// Hands events to `append` until it has `limit` of them, `append` says that the page is full, the
/// budget is spent or there are no more. Returns whether there are more events, which may match or
/// not.
///
/// # Errors
/// Those of the engine and of `append`.
pub fn read_page(
    cursor: &mut EventCursor,
    limit: u64,
    mut budget: Option<ScanBudget>,
    mut append: impl FnMut(&StoredEvent) -> Result<Fill, QueryError>,
) -> Result<bool, QueryError> {
    let mut count = 0;
    while count < limit {
        let bytes = match cursor.step()? {
            Step::Event(event) => {
                count += 1;
                if append(&event)? == Fill::Full {
                    break;
                }
                event.payload.len()
            }
            Step::Passed(bytes) => bytes,
            Step::End => break,
        };
        if budget.as_mut().is_some_and(|budget| !budget.lasts(bytes)) {
            break;
        }
    }
    Ok(cursor.has_more()?)
}

/// Whether a page takes another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// It takes more.
    Room,
    /// It is full.
    Full,
}

/// Counts the events of a query, over time if there is a histogram. Ends early when the budget is
/// spent, which is when the client has gone.
///
/// # Errors
/// Those of the engine; the histogram has too many intervals.
pub fn read_count(
    cursor: &mut EventCursor,
    mut budget: ScanBudget,
    mut histogram: Option<&mut Histogram>,
) -> Result<u64, QueryError> {
    let (mut count, mut bytes) = (0, 0);
    while budget.lasts(bytes) {
        bytes = match cursor.step()? {
            Step::Event(event) => {
                count += 1;
                if let Some(histogram) = &mut histogram {
                    histogram.add(event.timestamp_ns)?;
                }
                event.payload.len()
            }
            Step::Passed(bytes) => bytes,
            Step::End => break,
        };
    }
    Ok(count)
}
