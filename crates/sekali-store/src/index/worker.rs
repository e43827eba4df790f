//! The background work of an index: writing full tables as runs, and merging runs.
//!
//! One thread does both, in small steps, so that even the longest merge delays neither a flush nor
//! a commit. Each step is the most urgent work. Tables come first, because inserts wait for them;
//! then the lowest level with a merge due, because short merges remove the most runs for the least
//! work. Only when [`INDEX_RUNS_OVERDUE_MAX`] runs are overdue do merges come before tables;
//! inserts then wait, and look-ups stay fast.

use std::sync::Arc;
use std::time::Duration;

use super::block::BLOCK_ENTRIES;
use super::core::IndexCore;
use super::merge::RunMerge;
use super::plan::{self, MergeCandidate};
use super::progress::UpkeepProgress;
use super::retired::Retired;
use super::run::{self, Run, RunWriter};
use super::sort::SortKey;
use super::table::Table;
use crate::disk;
use crate::error::Result;
use crate::invariant::invariant;
use crate::limits::{INDEX_CHUNK_BLOCKS, INDEX_RUNS_OVERDUE_MAX};
use crate::manifest::RunInfo;

/// Backoff after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// Longest wait for work; a signal ends it when there is some.
const IDLE: Duration = Duration::from_secs(3600);
/// Wait for look-ups to release a table, which is soon needed again.
const TABLE_IN_USE: Duration = Duration::from_millis(5);
/// Wait for readers of a run that is no longer live.
const RUN_IN_USE: Duration = Duration::from_secs(1);
/// Entries merged in one step: about 15 ms of work.
const STEP_ENTRIES: usize = INDEX_CHUNK_BLOCKS * BLOCK_ENTRIES;

/// The background thread, until the index is closed.
pub(super) fn run(core: &IndexCore) {
    while !core.signals.is_closing() {
        let seen = core.signals.raised();
        match step(core) {
            Ok(true) => core.signals.raise(),
            Ok(false) => core.signals.wait_after(seen, idle_time(core)),
            Err(_) => {
                // `failures` has recorded the error; inserts that wait for room must see it.
                core.signals.raise();
                core.signals.wait_after(core.signals.raised(), RETRY);
            }
        }
    }
}

fn idle_time(core: &IndexCore) -> Duration {
    let progress = core.progress();
    match &progress.retired {
        retired if retired.has_tables() => TABLE_IN_USE,
        retired if retired.has_runs() => RUN_IN_USE,
        _ => IDLE,
    }
}

/// Does the most urgent piece of work. Returns `false` where there is none.
pub(super) fn step(core: &IndexCore) -> Result<bool> {
    let mut progress = core.progress();
    if core.signals.is_closing() {
        return Ok(false);
    }
    core.failures.check_invariants()?;
    use_again(core, &mut progress.retired);
    prepare_spare(core);
    let overdue = plan::overdue(&candidates(core, &progress), core.options.table_entries);
    let merges_first = overdue >= INDEX_RUNS_OVERDUE_MAX && !core.failures.merge_failed();
    if merges_first && merge_some(core, &mut progress)? {
        return Ok(true);
    }
    let oldest = core.state().frozen.first().cloned();
    if let Some(table) = oldest {
        let number = progress.take_number();
        core.failures.note_flush(flush(core, &table, number, &mut progress.order))?;
        if table.len() < core.options.table_entries {
            progress.order = Vec::new();
        }
        progress.retired.add_table(table);
        return Ok(true);
    }
    merge_some(core, &mut progress)
}

/// Frees tables and runs that look-ups have released. A table that was full is emptied and becomes
/// the spare one, so that the next table need not touch new memory. One that was not full belongs
/// to a store with little traffic, which does better without a spare.
fn use_again(core: &IndexCore, retired: &mut Retired) {
    retired.free_runs();
    while let Some(mut table) = retired.take_table() {
        if table.len() >= core.options.table_entries {
            table.clear();
            // The surplus table is dropped here, without the lock.
            let _surplus = core.state_mut().offer_spare(table);
        }
    }
}

/// Makes the spare table if one is due. Without a thread it would take the caller's time.
fn prepare_spare(core: &IndexCore) {
    if core.options.background && core.state().wants_spare() {
        let table = Table::in_memory(core.options.table_entries);
        let _surplus = core.state_mut().offer_spare(table);
    }
}

/// Writes a table as run `number`.
fn flush(core: &IndexCore, table: &Table, number: u64, order: &mut Vec<SortKey>) -> Result<()> {
    let entries = table.len() as u64;
    let (first_seq, last_seq) = (table.first_seq(), table.last_seq());
    invariant!(first_seq > core.state().covered_seq, "a table has entries that runs cover");
    let bits = plan::filter_bits(entries, core.state().entries_in_runs() + entries);
    // A full disk is asked for its free space, and not filled up again with every attempt.
    disk::check_space(&*core.disk, &core.dir, Run::block_bytes(entries))?;
    let info = RunInfo { number, entries, first_seq, last_seq, checksum: 0 };
    let mut writer = RunWriter::create(&core.disk, &core.dir, info, bits)?;
    for entry in table.sorted(order)? {
        writer.push(&entry)?;
    }
    let run = writer.finish()?;
    core.manifest.update(|manifest| {
        manifest.runs.push(*run.info());
        manifest.covered_seq = last_seq;
        manifest.next_run = manifest.next_run.max(number + 1);
    })?;
    core.state_mut().flushed(run, last_seq)
}

/// Advances the lowest merge. Returns `false` where none is due.
fn merge_some(core: &IndexCore, progress: &mut UpkeepProgress) -> Result<bool> {
    if core.failures.merging_is_over() {
        return Ok(false);
    }
    begin_merge(core, progress)?;
    let Some(at) = (0..progress.merges.len()).min_by_key(|&at| progress.merges.get(at).map(|merge| merge.level)) else {
        return Ok(false);
    };
    // A merge that fails is dropped, and begun again when its turn comes.
    let mut merge = progress.merges.swap_remove(at);
    let more = merge.advance(STEP_ENTRIES).or_else(|error| core.failures.note_merge(Err(error)))?;
    if more {
        progress.merges.push(merge);
    } else {
        core.failures.note_merge(end_merge(core, merge, &mut progress.retired))?;
    }
    Ok(true)
}

/// Begins the merge that is due, if it is more urgent than those in progress.
fn begin_merge(core: &IndexCore, progress: &mut UpkeepProgress) -> Result<()> {
    let Some((level, numbers)) = plan::next_merge(&candidates(core, progress), core.options.table_entries) else {
        return Ok(());
    };
    if progress.merges.iter().any(|merge| merge.level < level) {
        return Ok(());
    }
    let (runs, total) = {
        let state = core.state();
        let chosen = state.runs.iter().filter(|run| numbers.contains(&run.info().number));
        (chosen.cloned().collect::<Vec<_>>(), state.entries_in_runs())
    };
    let needed: u64 = runs.iter().map(|run| run.disk_bytes()).sum();
    core.failures.note_merge(disk::check_space(&*core.disk, &core.dir, needed))?;
    let bits = plan::filter_bits(runs.iter().map(|run| run.info().entries).sum(), total);
    let merge = RunMerge::begin(&core.disk, &core.dir, &runs, progress.take_number(), level, bits);
    progress.merges.push(merge.or_else(|error| core.failures.note_merge(Err(error)))?);
    Ok(())
}

/// Puts the merged run in the place of its inputs, and then removes their files.
fn end_merge(core: &IndexCore, merge: RunMerge, retired: &mut Retired) -> Result<()> {
    let inputs: Vec<Arc<Run>> = merge.reads().cloned().collect();
    let run: Run = merge.finish()?;
    let entries: u64 = inputs.iter().map(|input| input.info().entries).sum();
    invariant!(run.info().entries == entries, "a merged run has not the entries of its inputs");
    core.manifest.update(|manifest| {
        manifest.runs.retain(|other| !inputs.iter().any(|input| input.info().number == other.number));
        manifest.runs.push(*run.info());
        manifest.next_run = manifest.next_run.max(run.info().number + 1);
    })?;
    core.state_mut().merged(&inputs, run)?;
    if !core.manifest.uncertain() {
        for input in &inputs {
            // A file that cannot be removed now is a leftover, which the next start removes.
            let _ = core.remover.remove(&*core.disk, &core.dir.join(run::file_name(input.info().number)));
        }
    }
    retired.add_runs(inputs);
    Ok(())
}

fn candidates(core: &IndexCore, progress: &UpkeepProgress) -> Vec<MergeCandidate> {
    let is_busy =
        |run: &Arc<Run>| progress.merges.iter().any(|merge| merge.reads().any(|input| Arc::ptr_eq(input, run)));
    core.state().runs.iter().map(|run| MergeCandidate::new(run.info(), is_busy(run))).collect()
}
