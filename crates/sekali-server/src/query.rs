//! Reading the store: which events, in which order, and how long a scan may go on. Knows no HTTP.
//!
//! An [`EventQuery`] says which events; an [`EventCursor`] finds them, one step at a time, over all
//! partitions as of one moment. Positions between two events leave the process as sealed text
//! ([`CursorKey`]). Reads block and keep a core busy, so they run in turns on threads for that.

mod columns;
mod conflicts;
mod context;
mod count;
mod cursor;
mod differences;
mod error;
mod event_query;
mod events;
mod facets;
mod field;
mod filter;
mod groups;
mod histogram;
mod interval;
mod measures;
mod merge;
mod number_histogram;
mod number_summary;
mod page;
mod permits;
mod reader_view;
mod reading;
mod row_counts;
mod scan_budget;
#[cfg(test)]
mod test_event;

pub(crate) use columns::Columns;
pub(crate) use conflicts::{Conflict, ConflictScan, ConflictSources, ConflictsRead};
pub(crate) use context::{
    NeighbourLimits, NeighbourScan, Neighbours, PlacedEvent, SameValues, ScanRest, positions_around,
};
pub(crate) use count::{Count, CountQuery};
pub use cursor::{CursorKey, CursorScope, Positions};
pub(crate) use differences::{Difference, Differences};
pub use error::QueryError;
pub use event_query::EventQuery;
pub use events::{EventCursor, Step};
pub(crate) use facets::{Facet, FacetQuery, Facets};
pub(crate) use field::{Field, FieldValue};
pub(crate) use filter::parse_number;
pub use filter::{FILTER_PARAMETERS, Filter, FilterBuilder, TextSearch, TopicConditions, WrongFilter, is_filter};
pub(crate) use groups::{Group, Groups};
pub use histogram::{Histogram, TooManyIntervals};
pub use interval::Interval;
pub(crate) use measures::{Measure, Measures};
pub(crate) use number_histogram::NumberBin;
pub(crate) use number_summary::NumberSummary;
pub use page::Fill;
pub(crate) use page::PageScan;
pub use permits::{ReadPermit, ReadPermits};
pub(crate) use reading::{Aggregate, AggregateScan, ReadEnd, ReadExtent, ReadReport};
pub use scan_budget::{ClientGuard, ScanBudget};
