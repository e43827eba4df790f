//! What the index does in the background: writing full tables as runs, and merging runs.
//!
//! One thread does both, in small steps, so that a merge of any length holds neither a flush nor a commit up: before
//! each step the most urgent work is chosen. Tables come first, because inserts wait for them; then the lowest level
//! that has a merge due, because short merges take the most runs away for the least work. Only when
//! [`INDEX_RUNS_OVERDUE_MAX`] runs are overdue do merges come before tables; inserts then wait, and look-ups stay fast.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::block::BLOCK_ENTRIES;
use super::core::Core;
use super::merge::Merge;
use super::order::Key;
use super::plan::{self, Candidate};
use super::retired::Retired;
use super::run::{self, Run, RunWriter};
use super::table::Table;
use crate::disk;
use crate::error::Result;
use crate::limits::{INDEX_CHUNK_BLOCKS, INDEX_RUNS_OVERDUE_MAX};
use crate::manifest::RunInfo;

/// How long the thread waits after a failure before it tries again.
const RETRY: Duration = Duration::from_secs(1);
/// How long the thread waits for work; it is woken when there is some.
const IDLE: Duration = Duration::from_secs(3600);
/// How long the thread waits for look-ups to let go of a table, which is soon needed again.
const TABLE_IN_USE: Duration = Duration::from_millis(5);
/// How long it waits for whoever reads a run that is no longer live.
const RUN_IN_USE: Duration = Duration::from_secs(1);
/// Entries merged in one step: about 15 ms of work.
const STEP_ENTRIES: usize = INDEX_CHUNK_BLOCKS * BLOCK_ENTRIES;

/// What background work carries from step to step.
#[derive(Debug)]
pub(super) struct Worker {
    /// At most one for each level.
    merges: Vec<Merge>,
    /// Numbers are never used twice, not even after a failure: an old manifest may have become durable after all.
    next_run: u64,
    retired: Retired,
    /// Where tables are sorted. Kept as long as full tables follow each other.
    order: Vec<Key>,
}

impl Worker {
    pub(super) fn new(next_run: u64) -> Self {
        Self { merges: Vec::new(), next_run, retired: Retired::default(), order: Vec::new() }
    }

    fn take_number(&mut self) -> u64 {
        self.next_run += 1;
        self.next_run - 1
    }
}

impl Core {
    /// The background thread: works until the index is closed.
    pub(super) fn run(&self) {
        while !self.signals.is_closing() {
            let seen = self.signals.raised();
            match self.step() {
                Ok(true) => self.signals.raise(),
                Ok(false) => self.signals.wait_after(seen, self.idle_time()),
                Err(_) => {
                    // The error is kept in `failures`; inserts that wait for room must hear of it.
                    self.signals.raise();
                    self.signals.wait_after(self.signals.raised(), RETRY);
                }
            }
        }
    }

    fn idle_time(&self) -> Duration {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        match &worker.retired {
            retired if retired.has_tables() => TABLE_IN_USE,
            retired if retired.has_runs() => RUN_IN_USE,
            _ => IDLE,
        }
    }

    /// Does the most urgent piece of work. False where there is none.
    pub(super) fn step(&self) -> Result<bool> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if self.signals.is_closing() {
            return Ok(false);
        }
        self.use_again(&mut worker.retired);
        self.prepare_spare();
        let overdue = plan::overdue(&self.candidates(&worker), self.options.table_entries);
        let merges_first = overdue >= INDEX_RUNS_OVERDUE_MAX && !self.failures.merge_failed();
        if merges_first && self.merge_some(&mut worker)? {
            return Ok(true);
        }
        let oldest = self.state().frozen.first().cloned();
        if let Some(table) = oldest {
            let number = worker.take_number();
            self.failures.note_flush(self.flush(&table, number, &mut worker.order))?;
            if table.len() < self.options.table_entries {
                worker.order = Vec::new();
            }
            worker.retired.add_table(table);
            return Ok(true);
        }
        self.merge_some(&mut worker)
    }

    /// Frees what look-ups have let go of. A table that was full is emptied for the next one to be filled, which is then
    /// spared new memory; one that was not belongs to a store so calm that it does better without.
    fn use_again(&self, retired: &mut Retired) {
        retired.free_runs();
        while let Some(mut table) = retired.take_table() {
            if table.len() >= self.options.table_entries {
                table.clear();
                // What is given back is dropped here, without the lock.
                let _surplus = self.state_mut().offer_spare(table);
            }
        }
    }

    /// Makes the spare table if one is due. Without a thread the time for that would be the caller's.
    fn prepare_spare(&self) {
        if self.options.background && self.state().wants_spare() {
            let table = Table::in_memory(self.options.table_entries);
            let _surplus = self.state_mut().offer_spare(table);
        }
    }

    /// Makes a table the run `number`.
    fn flush(&self, table: &Table, number: u64, order: &mut Vec<Key>) -> Result<()> {
        let entries = table.len() as u64;
        let (first_seq, last_seq) = (table.first_seq(), table.last_seq());
        let bits = plan::filter_bits(entries, self.state().entries_in_runs() + entries);
        // A full disk is asked about, not filled up again with every attempt.
        disk::check_space(&*self.disk, &self.dir, Run::block_bytes(entries))?;
        let info = RunInfo { number, entries, first_seq, last_seq, checksum: 0 };
        let mut writer = RunWriter::create(&self.disk, &self.dir, info, bits)?;
        for entry in table.sorted(order) {
            writer.push(&entry)?;
        }
        let run = writer.finish()?;
        self.manifest.update(|manifest| {
            manifest.runs.push(*run.info());
            manifest.covered_seq = last_seq;
            manifest.next_run = manifest.next_run.max(number + 1);
        })?;
        self.state_mut().flushed(run, last_seq);
        Ok(())
    }

    /// Goes on with the lowest merge. False where none is due.
    fn merge_some(&self, worker: &mut Worker) -> Result<bool> {
        if self.failures.merging_is_over() {
            return Ok(false);
        }
        self.begin_merge(worker)?;
        let Some(at) = (0..worker.merges.len()).min_by_key(|&at| worker.merges.get(at).map(|merge| merge.level)) else {
            return Ok(false);
        };
        // A merge that fails is dropped, and begun afresh when its turn comes again.
        let mut merge = worker.merges.swap_remove(at);
        let more = merge.advance(STEP_ENTRIES).or_else(|error| self.failures.note_merge(Err(error)))?;
        if more {
            worker.merges.push(merge);
        } else {
            self.failures.note_merge(self.end_merge(merge, &mut worker.retired))?;
        }
        Ok(true)
    }

    /// Begins the merge that is due, if it is more urgent than those under way.
    fn begin_merge(&self, worker: &mut Worker) -> Result<()> {
        let Some((level, numbers)) = plan::next_merge(&self.candidates(worker), self.options.table_entries) else {
            return Ok(());
        };
        if worker.merges.iter().any(|merge| merge.level < level) {
            return Ok(());
        }
        let (runs, total) = {
            let state = self.state();
            let chosen = state.runs.iter().filter(|run| numbers.contains(&run.info().number));
            (chosen.cloned().collect::<Vec<_>>(), state.entries_in_runs())
        };
        let needed: u64 = runs.iter().map(|run| run.disk_bytes()).sum();
        self.failures.note_merge(disk::check_space(&*self.disk, &self.dir, needed))?;
        let bits = plan::filter_bits(runs.iter().map(|run| run.info().entries).sum(), total);
        let merge = Merge::begin(&self.disk, &self.dir, &runs, worker.take_number(), level, bits);
        worker.merges.push(merge.or_else(|error| self.failures.note_merge(Err(error)))?);
        Ok(())
    }

    /// Puts the merged run in the place of those it was made from, and then removes their files.
    fn end_merge(&self, merge: Merge, retired: &mut Retired) -> Result<()> {
        let inputs: Vec<Arc<Run>> = merge.reads().cloned().collect();
        let run: Run = merge.finish()?;
        self.manifest.update(|manifest| {
            manifest.runs.retain(|other| !inputs.iter().any(|input| input.info().number == other.number));
            manifest.runs.push(*run.info());
            manifest.next_run = manifest.next_run.max(run.info().number + 1);
        })?;
        self.state_mut().merged(&inputs, run);
        if !self.manifest.uncertain() {
            for input in &inputs {
                // What cannot be removed now is a leftover, and removed at the next start.
                let _ = self.remover.remove(&*self.disk, &self.dir.join(run::file_name(input.info().number)));
            }
        }
        retired.add_runs(inputs);
        Ok(())
    }

    fn candidates(&self, worker: &Worker) -> Vec<Candidate> {
        let is_busy =
            |run: &Arc<Run>| worker.merges.iter().any(|merge| merge.reads().any(|input| Arc::ptr_eq(input, run)));
        self.state().runs.iter().map(|run| Candidate::new(run.info(), is_busy(run))).collect()
    }
}
