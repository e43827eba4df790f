//! What the index does in the background: writing full tables as runs, and merging runs.
//!
//! One thread does both, in small steps, so that a merge of any length holds neither a flush nor a commit up: before
//! each step the most urgent work is chosen. Tables come first, because inserts wait for them; then the lowest level
//! that has a merge due, because short merges take the most runs away for the least work. Only when
//! [`INDEX_RUNS_OVERDUE_MAX`] runs are overdue do merges come before tables; inserts then wait, and look-ups stay fast.

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

/// The background thread: works until the index is closed.
pub(super) fn run(core: &IndexCore) {
    while !core.signals.is_closing() {
        let seen = core.signals.raised();
        match step(core) {
            Ok(true) => core.signals.raise(),
            Ok(false) => core.signals.wait_after(seen, idle_time(core)),
            Err(_) => {
                // The error is kept in `failures`; inserts that wait for room must hear of it.
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

/// Does the most urgent piece of work. False where there is none.
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

/// Frees what look-ups have let go of. A table that was full is emptied for the next one to be filled, which is then
/// spared new memory; one that was not belongs to a store so calm that it does better without.
fn use_again(core: &IndexCore, retired: &mut Retired) {
    retired.free_runs();
    while let Some(mut table) = retired.take_table() {
        if table.len() >= core.options.table_entries {
            table.clear();
            // What is given back is dropped here, without the lock.
            let _surplus = core.state_mut().offer_spare(table);
        }
    }
}

/// Makes the spare table if one is due. Without a thread the time for that would be the caller's.
fn prepare_spare(core: &IndexCore) {
    if core.options.background && core.state().wants_spare() {
        let table = Table::in_memory(core.options.table_entries);
        let _surplus = core.state_mut().offer_spare(table);
    }
}

/// Makes a table the run `number`.
fn flush(core: &IndexCore, table: &Table, number: u64, order: &mut Vec<SortKey>) -> Result<()> {
    let entries = table.len() as u64;
    let (first_seq, last_seq) = (table.first_seq(), table.last_seq());
    invariant!(first_seq > core.state().covered_seq, "a table has entries that runs cover");
    let bits = plan::filter_bits(entries, core.state().entries_in_runs() + entries);
    // A full disk is asked about, not filled up again with every attempt.
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

/// Goes on with the lowest merge. False where none is due.
fn merge_some(core: &IndexCore, progress: &mut UpkeepProgress) -> Result<bool> {
    if core.failures.merging_is_over() {
        return Ok(false);
    }
    begin_merge(core, progress)?;
    let Some(at) = (0..progress.merges.len()).min_by_key(|&at| progress.merges.get(at).map(|merge| merge.level)) else {
        return Ok(false);
    };
    // A merge that fails is dropped, and begun afresh when its turn comes again.
    let mut merge = progress.merges.swap_remove(at);
    let more = merge.advance(STEP_ENTRIES).or_else(|error| core.failures.note_merge(Err(error)))?;
    if more {
        progress.merges.push(merge);
    } else {
        core.failures.note_merge(end_merge(core, merge, &mut progress.retired))?;
    }
    Ok(true)
}

/// Begins the merge that is due, if it is more urgent than those under way.
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

/// Puts the merged run in the place of those it was made from, and then removes their files.
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
            // What cannot be removed now is a leftover, and removed at the next start.
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
