//! Reading the store: which events, in which order, and how long a scan may go on. Knows no HTTP.
//!
//! An [`EventQuery`] says which events; an [`EventCursor`] finds them, one step at a time, over all
//! partitions as of one moment. Positions between two events leave the process as sealed text
//! ([`CursorKey`]). Reads block, so they run on threads for that, as many at a time as there are
//! [`ReadPermits`].

mod blocking;
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

pub use blocking::off_thread;
pub use cursor::{CursorKey, CursorScope, Positions};
pub use error::QueryError;
pub use event_query::EventQuery;
pub use events::{EventCursor, Step};
pub use filter::{FILTER_PARAMETERS, Filter, FilterBuilder, TextSearch, TopicConditions, WrongFilter, is_filter};
pub use histogram::{Histogram, TooManyIntervals};
pub use interval::Interval;
pub use page::{Fill, read_count, read_page};
pub use permits::{ReadPermit, ReadPermits};
pub use scan_budget::{ClientGuard, ScanBudget};
