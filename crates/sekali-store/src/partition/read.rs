//! Reads beside the writer: look-ups and ordered scans of log files and segments.

mod chunk;
mod compare;
mod due;
mod event_batch;
mod log_events;
mod lookup;
mod reader;
mod scan;

pub(super) use chunk::{ReadRange, check, next_chunk, visit_all};
pub(super) use compare::compare;
pub(super) use lookup::read_row;
pub use reader::{Reader, StorageStats, TopicSummary};
pub use scan::{Ahead, Scan, Scanner};
