//! The dedup index and segments by themselves, for measuring programs. No part of the interface of
//! this crate: it changes without notice.

mod index;
mod segment;

pub use index::{DedupIndex, IndexRun, KeyFilters, KeyTable, sort_batch};
pub use segment::{EventChoice, SealedFile, SegmentFileWriter, SegmentFiles};

pub use crate::index::Entry;
