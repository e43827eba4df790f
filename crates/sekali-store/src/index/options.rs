//! Settings of an index.

use crate::limits::INDEX_TABLE_ENTRIES;

/// Settings of an index. The defaults are right outside of tests.
#[derive(Debug, Clone, Copy)]
pub struct IndexOptions {
    /// Entries of one in-memory table, from 1 to
    /// [`INDEX_TABLE_ENTRIES_MAX`](crate::limits::INDEX_TABLE_ENTRIES_MAX).
    pub table_entries: usize,
    /// Whether a thread flushes and merges. Without it [`Index::step`](super::Index::step) does so
    /// when called, and [`Index::insert`](super::Index::insert) where it would have to wait.
    pub background: bool,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { table_entries: INDEX_TABLE_ENTRIES, background: true }
    }
}
