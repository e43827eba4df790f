//! Reading the store: which events, in which order, and how long a scan may go on. Knows no HTTP.
//!
//! An [`EventQuery`] says which events; an [`EventCursor`] finds them, one step at a time, over all
//! partitions as of one moment. Positions between two events leave the process as sealed text
//! ([`CursorKey`]). Reads block and keep a core busy, so they run in turns on threads for that.

mod cursor;
mod error;
mod event_query;
mod events;
mod filter;
mod histogram;
mod interval;
mod merge;
mod page;
mod permits;
mod scan_budget;

pub use cursor::{CursorKey, CursorScope, Positions};
pub use error::QueryError;
pub use event_query::EventQuery;
pub use events::{EventCursor, Step};
pub use filter::{FILTER_PARAMETERS, Filter, FilterBuilder, TextSearch, TopicConditions, WrongFilter, is_filter};
pub use histogram::{Histogram, TooManyIntervals};
pub use interval::Interval;
pub use page::Fill;
pub(crate) use page::{CountScan, PageScan};
pub use permits::{ReadPermit, ReadPermits};
pub use scan_budget::{ClientGuard, ScanBudget};
