//! What look-ups see: the table that takes inserts, tables that wait to be written, and runs.

use std::mem;
use std::sync::Arc;

use super::Entry;
use super::run::Run;
use super::table::Table;

/// Changed as a whole under one lock, so that every entry is in exactly one place whenever someone looks.
#[derive(Debug)]
pub(super) struct State {
    pub(super) active: Table,
    /// Oldest first.
    pub(super) frozen: Vec<Arc<Table>>,
    pub(super) runs: Arc<[Arc<Run>]>,
    pub(super) covered_seq: u64,
}

impl State {
    pub(super) fn new(runs: Vec<Arc<Run>>, covered_seq: u64, table_entries: usize) -> Self {
        Self { active: Table::new(table_entries), frozen: Vec::new(), runs: runs.into(), covered_seq }
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
            let full = mem::replace(&mut self.active, Table::new(table_entries));
            self.frozen.push(Arc::new(full));
        }
    }

    /// The oldest table has become `run`.
    pub(super) fn flushed(&mut self, run: Run, covered_seq: u64) {
        self.frozen.remove(0);
        self.runs = self.runs.iter().cloned().chain([Arc::new(run)]).collect();
        self.covered_seq = covered_seq;
    }

    /// The runs with the numbers `inputs` have become `run`.
    pub(super) fn merged(&mut self, inputs: &[u64], run: Run) {
        let others = self.runs.iter().filter(|run| !inputs.contains(&run.info().number)).cloned();
        self.runs = others.chain([Arc::new(run)]).collect();
    }

    pub(super) fn entries_in_memory(&self) -> u64 {
        (self.active.len() + self.frozen.iter().map(|table| table.len()).sum::<usize>()) as u64
    }

    pub(super) fn entries_in_runs(&self) -> u64 {
        self.runs.iter().map(|run| run.info().entries).sum()
    }
}
