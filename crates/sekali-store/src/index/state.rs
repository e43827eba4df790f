//! The state that look-ups read: the table that takes inserts, tables that wait to be written, and
//! runs.

use std::mem;
use std::sync::Arc;

use super::entry::Entry;
use super::run::Run;
use super::table::Table;
use crate::error::Result;
use crate::invariant::invariant;
use crate::limits::INDEX_TABLES_WAITING_MAX;

/// The first table of a store has this part of a full one: 65,536 entries, 2.4 MB. It grows to a
/// full table at once, by then usually the spare table, so that a small store stays small and no
/// commit touches untouched memory.
const FIRST_TABLE_PART: usize = 16;
/// A spare table is made once the active one has this part of its entries.
const SPARE_TABLE_PART: usize = 4;

/// Changed as a whole under one lock, so that every look-up finds each entry in exactly one place.
#[derive(Debug)]
pub(super) struct IndexState {
    pub(super) active: Table,
    /// An empty table whose memory has been touched, to take the place of the active one when that
    /// is full without any wait.
    spare: Option<Table>,
    /// Oldest first.
    pub(super) frozen: Vec<Arc<Table>>,
    pub(super) runs: Arc<[Arc<Run>]>,
    pub(super) covered_seq: u64,
}

/// Background work that an insert leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableWork {
    /// A full table waits to be written.
    Flush,
    /// A spare table is due.
    Spare,
}

impl IndexState {
    pub(super) fn new(runs: Vec<Arc<Run>>, covered_seq: u64, table_entries: usize) -> Self {
        Self { active: first_table(table_entries), spare: None, frozen: Vec::new(), runs: runs.into(), covered_seq }
    }

    /// Adds entries until the table is full. Returns how many were added, and the work that is due.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where the seqs do not follow those that are here.
    pub(super) fn insert(&mut self, entries: &[Entry], table_entries: usize) -> Result<(usize, Option<TableWork>)> {
        let is_next = |entry: &Entry| entry.seq > self.last_seq();
        invariant!(entries.first().is_none_or(is_next), "an entry of the index is older than one that it has");
        if self.active.capacity() < table_entries && self.active.len() + entries.len() > self.active.capacity() {
            let small = mem::replace(&mut self.active, self.spare.take().unwrap_or_else(|| Table::new(table_entries)));
            self.active.insert_all(&small)?;
        }
        let added = self.active.insert(entries)?;
        invariant!(added > 0 || !self.active.is_empty(), "an empty table takes no entry");
        let filled = added < entries.len() || self.active.len() >= table_entries;
        if filled {
            self.freeze(table_entries);
            return Ok((added, Some(TableWork::Flush)));
        }
        Ok((added, self.wants_spare().then_some(TableWork::Spare)))
    }

    /// Freezes the active table, which then waits to be written, and begins a new one.
    pub(super) fn freeze(&mut self, table_entries: usize) {
        if !self.active.is_empty() {
            let next = self.spare.take().unwrap_or_else(|| first_table(table_entries));
            self.frozen.push(Arc::new(mem::replace(&mut self.active, next)));
        }
    }

    /// Whether a spare table is due: the active table fills, and there are fewer tables than there
    /// may be.
    pub(super) fn wants_spare(&self) -> bool {
        self.active.len() > self.active.capacity() / SPARE_TABLE_PART && self.has_room_for_spare()
    }

    /// Takes `table`, empty and with all its memory touched, as the spare one. Returns it where
    /// there are as many tables as there may be.
    pub(super) fn offer_spare(&mut self, table: Table) -> Option<Table> {
        if self.has_room_for_spare() { self.spare.replace(table) } else { Some(table) }
    }

    /// The active table, those that wait and the spare one number at most one more than may wait.
    fn has_room_for_spare(&self) -> bool {
        self.spare.is_none() && self.frozen.len() < INDEX_TABLES_WAITING_MAX
    }

    /// Replaces the oldest table by `run`, which was written from it.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where it was not.
    pub(super) fn flushed(&mut self, run: Run, covered_seq: u64) -> Result<()> {
        let is_oldest = self.frozen.first().is_some_and(|table| table.len() as u64 == run.info().entries);
        invariant!(is_oldest, "a run is not the oldest table");
        invariant!(covered_seq > self.covered_seq, "a run covers what other runs cover");
        self.frozen.remove(0);
        self.runs = self.runs.iter().cloned().chain([Arc::new(run)]).collect();
        self.covered_seq = covered_seq;
        Ok(())
    }

    /// Replaces the runs `inputs` by `run`, which they were merged into.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where not all of them are live.
    pub(super) fn merged(&mut self, inputs: &[Arc<Run>], run: Run) -> Result<()> {
        let others = self.runs.iter().filter(|run| !inputs.iter().any(|input| Arc::ptr_eq(input, run))).cloned();
        let runs: Arc<[_]> = others.chain([Arc::new(run)]).collect();
        invariant!(runs.len() + inputs.len() == self.runs.len() + 1, "a run that was merged is not live");
        self.runs = runs;
        Ok(())
    }

    /// The greatest seq of an entry; 0 without entries.
    fn last_seq(&self) -> u64 {
        let frozen = || self.frozen.last().map_or(self.covered_seq, |table| table.last_seq());
        if self.active.is_empty() { frozen() } else { self.active.last_seq() }
    }

    pub(super) fn entries_in_memory(&self) -> u64 {
        (self.active.len() + self.frozen.iter().map(|table| table.len()).sum::<usize>()) as u64
    }

    pub(super) fn entries_in_runs(&self) -> u64 {
        self.runs.iter().map(|run| run.info().entries).sum()
    }
}

fn first_table(table_entries: usize) -> Table {
    Table::new(table_entries / FIRST_TABLE_PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = 32;

    /// Inserts entries one by one, and returns how often the table was frozen.
    fn fill(state: &mut IndexState, seqs: std::ops::Range<u64>) -> usize {
        let insert = |seq| state.insert(&[Entry { fingerprint: u128::from(seq), seq, content: 0 }], FULL).unwrap();
        seqs.map(insert).filter(|&(_, due)| due == Some(TableWork::Flush)).count()
    }

    #[test]
    fn there_are_never_more_tables_in_memory_than_may_wait_and_one() {
        let mut state = IndexState::new(Vec::new(), 0, FULL);
        assert!(!state.wants_spare(), "an empty index takes no memory ahead");
        assert_eq!(fill(&mut state, 1..2), 0);
        assert!(state.wants_spare());
        assert!(state.offer_spare(Table::in_memory(FULL)).is_none());
        assert!(!state.wants_spare() && state.offer_spare(Table::in_memory(FULL)).is_some());
        assert_eq!(fill(&mut state, 2..33), 1);
        assert!(state.offer_spare(Table::in_memory(FULL)).is_none());
        assert_eq!(fill(&mut state, 33..65), 1);
        assert!(state.offer_spare(Table::in_memory(FULL)).is_some(), "as many wait as may");
    }

    #[test]
    fn the_first_table_is_small_and_grows_with_all_its_entries() {
        let mut state = IndexState::new(Vec::new(), 0, FULL);
        assert_eq!((fill(&mut state, 1..3), state.active.capacity()), (0, FULL / FIRST_TABLE_PART));
        assert_eq!((fill(&mut state, 3..32), state.active.capacity()), (0, FULL));
        let mut found = Vec::new();
        state.active.look_up(&(0..40).collect::<Vec<_>>(), &mut found);
        assert_eq!(found.iter().map(|(_, entry)| entry.seq).collect::<Vec<_>>(), (1..32).collect::<Vec<_>>());
        assert_eq!((fill(&mut state, 32..33), state.frozen.len()), (1, 1));
        assert_eq!(state.entries_in_memory(), 32);
    }
}
