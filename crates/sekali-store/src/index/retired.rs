//! Tables and runs that are no longer live but may still be in use.
//!
//! The last owner of a table or run frees its memory and closes its file, which takes milliseconds
//! for large ones. The background thread keeps a reference to retired tables and runs until no
//! look-up uses them, so that no look-up, and so no commit, pays for freeing them.

use std::sync::Arc;

use super::run::Run;
use super::table::Table;

/// Tables that were written, and runs that were merged.
#[derive(Debug, Default)]
pub(super) struct Retired {
    tables: Vec<Arc<Table>>,
    runs: Vec<Arc<Run>>,
}

impl Retired {
    pub(super) fn add_table(&mut self, table: Arc<Table>) {
        self.tables.push(table);
    }

    pub(super) fn add_runs(&mut self, runs: impl IntoIterator<Item = Arc<Run>>) {
        self.runs.extend(runs);
    }

    pub(super) fn has_tables(&self) -> bool {
        !self.tables.is_empty()
    }

    pub(super) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Drops the runs that no look-up uses.
    pub(super) fn free_runs(&mut self) {
        self.runs.retain(|run| Arc::strong_count(run) > 1);
    }

    /// Takes out a table that no look-up uses.
    pub(super) fn take_table(&mut self) -> Option<Table> {
        let at = self.tables.iter().position(|table| Arc::strong_count(table) == 1)?;
        Arc::into_inner(self.tables.swap_remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_in_use_is_kept_until_its_last_user_lets_go() {
        let mut retired = Retired::default();
        let table = Arc::new(Table::new(10));
        let in_use = Arc::clone(&table);
        retired.add_table(table);
        assert!(retired.take_table().is_none() && retired.has_tables());
        drop(in_use);
        assert!(retired.take_table().is_some() && !retired.has_tables());
    }
}
