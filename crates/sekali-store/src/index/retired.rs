//! What look-ups may still use though nothing leads to it any more.
//!
//! The last to let go of a table or run frees its memory and closes its file, which takes milliseconds for large ones. So
//! that this is never a look-up in the middle of a commit, the background thread keeps hold of them until nobody else does.

use std::sync::Arc;

use super::run::Run;
use super::table::Table;

/// Tables that were written and runs that were merged.
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

    /// Lets go of the runs that nobody else uses.
    pub(super) fn free_runs(&mut self) {
        self.runs.retain(|run| Arc::strong_count(run) > 1);
    }

    /// A table that nobody else uses, no longer kept here.
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
