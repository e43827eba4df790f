//! What look-ups see: the table that takes inserts, tables that wait to be written, and runs.

use std::mem;
use std::sync::Arc;

use super::Entry;
use super::run::Run;
use super::table::Table;
use crate::limits::INDEX_TABLES_WAITING_MAX;

/// Changed as a whole under one lock, so that every entry is in exactly one place whenever someone looks.
#[derive(Debug)]
pub(super) struct State {
    pub(super) active: Table,
    /// An empty table with all its memory, for when the active one is full: with it, filling a table waits for nothing.
    spare: Option<Table>,
    /// Oldest first.
    pub(super) frozen: Vec<Arc<Table>>,
    pub(super) runs: Arc<[Arc<Run>]>,
    pub(super) covered_seq: u64,
}

impl State {
    pub(super) fn new(runs: Vec<Arc<Run>>, covered_seq: u64, table_entries: usize) -> Self {
        Self { active: Table::new(table_entries), spare: None, frozen: Vec::new(), runs: runs.into(), covered_seq }
    }

    /// Adds entries until the table is full. Answers how many, and whether the table has been frozen.
    pub(super) fn insert(&mut self, entries: &[Entry], table_entries: usize) -> (usize, bool) {
        let added = self.active.insert(entries);
        let filled = added < entries.len() || self.active.is_full();
        if filled {
            self.freeze(table_entries);
        }
        (added, filled)
    }

    /// Lets the active table wait to be written and begins a new one.
    pub(super) fn freeze(&mut self, table_entries: usize) {
        if !self.active.is_empty() {
            let next = self.spare.take().unwrap_or_else(|| Table::new(table_entries));
            self.frozen.push(Arc::new(mem::replace(&mut self.active, next)));
        }
    }

    /// Whether a spare table is due: the active one is half full, and there are not as many tables as there may be.
    pub(super) fn wants_spare(&self, table_entries: usize) -> bool {
        self.active.len() >= table_entries / 2 && self.has_room_for_spare()
    }

    /// Takes an empty table with all its memory for the spare one. Gives it back where there are as many tables as there may be.
    pub(super) fn offer_spare(&mut self, table: Table) -> Option<Table> {
        if self.has_room_for_spare() { self.spare.replace(table) } else { Some(table) }
    }

    /// The active table, those that wait and the spare are together no more than those that may wait, and one.
    fn has_room_for_spare(&self) -> bool {
        self.spare.is_none() && self.frozen.len() < INDEX_TABLES_WAITING_MAX
    }

    /// The oldest table has become `run`.
    pub(super) fn flushed(&mut self, run: Run, covered_seq: u64) {
        self.frozen.remove(0);
        self.runs = self.runs.iter().cloned().chain([Arc::new(run)]).collect();
        self.covered_seq = covered_seq;
    }

    /// The runs `inputs` have become `run`.
    pub(super) fn merged(&mut self, inputs: &[Arc<Run>], run: Run) {
        let others = self.runs.iter().filter(|run| !inputs.iter().any(|input| Arc::ptr_eq(input, run))).cloned();
        self.runs = others.chain([Arc::new(run)]).collect();
    }

    pub(super) fn entries_in_memory(&self) -> u64 {
        (self.active.len() + self.frozen.iter().map(|table| table.len()).sum::<usize>()) as u64
    }

    pub(super) fn entries_in_runs(&self) -> u64 {
        self.runs.iter().map(|run| run.info().entries).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(state: &mut State, seq: u64) -> (usize, bool) {
        let entries = [seq, seq + 1].map(|seq| Entry { fingerprint: seq.into(), seq, content: 0 });
        state.insert(&entries, 2)
    }

    #[test]
    fn there_are_never_more_tables_in_memory_than_may_wait_and_one() {
        let mut state = State::new(Vec::new(), 0, 2);
        assert!(!state.wants_spare(2), "an empty index takes no memory ahead");
        state.insert(&[Entry { fingerprint: 1, seq: 1, content: 0 }], 2);
        assert!(state.wants_spare(2));
        assert!(state.offer_spare(Table::in_memory(2)).is_none());
        assert!(!state.wants_spare(2) && state.offer_spare(Table::in_memory(2)).is_some());
        assert_eq!(fill(&mut state, 2), (1, true));
        assert!(state.offer_spare(Table::in_memory(2)).is_none());
        for seq in [3, 5, 7] {
            assert_eq!(fill(&mut state, seq), (2, true));
        }
        assert_eq!(state.frozen.len(), 4);
        assert!(state.offer_spare(Table::in_memory(2)).is_some(), "as many wait as may");
    }
}
