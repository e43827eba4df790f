//! The interface of the index.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::core::IndexCore;
use super::entry::Entry;
use super::options::IndexOptions;
use super::room;
use super::run::{LookupCost, Run, sorted_keys};
use super::state::TableWork;
use super::stats::IndexStats;
use super::worker;
use crate::background;
use crate::disk::Disk;
use crate::error::{IoContext as _, Result};
use crate::hash::Fingerprint;
use crate::invariant::invariant;
use crate::manifest::ManifestFile;

/// The dedup index of a partition. One writer inserts; any number of threads look up.
#[derive(Debug)]
pub(crate) struct Index {
    pub(super) core: Arc<IndexCore>,
    thread: Option<JoinHandle<()>>,
}

impl Index {
    /// Opens the runs in `dir` that the manifest names, and removes other files of an index. The
    /// caller [inserts](Index::insert) the entries after [`Index::covered_seq`] again, from the
    /// log.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged), naming all runs that are missing or damaged: an
    /// index without them would take duplicates for new events. See [`Index::rebuild`].
    /// [`Error::NewerFormat`](crate::Error::NewerFormat), [`Error::Invalid`](crate::Error::Invalid)
    /// for impossible options, and I/O errors.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        manifest: Arc<ManifestFile>,
        options: IndexOptions,
    ) -> Result<Self> {
        let core = Arc::new(IndexCore::open(disk, dir, manifest, options)?);
        let thread = if options.background { Some(spawn(&core)?) } else { None };
        Ok(Self { core, thread })
    }

    /// Finds every entry with one of `fingerprints` (fewer than 2^32). Appends its position in
    /// `fingerprints` and the entry, in no particular order. A fingerprint may have several
    /// entries.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) where a block that may hold an entry is, and I/O
    /// errors. `found` is then incomplete.
    pub(crate) fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) -> Result<()> {
        let (frozen, runs) = {
            let state = self.core.state();
            state.active.look_up(fingerprints, found);
            (state.frozen.clone(), Arc::clone(&state.runs))
        };
        frozen.iter().for_each(|table| table.look_up(fingerprints, found));
        let mut reads = LookupCost::default();
        if !runs.is_empty() {
            let keys = sorted_keys(fingerprints)?;
            for run in runs.iter() {
                reads += run.look_up(fingerprints, &keys, found)?;
            }
        }
        self.core.counters.add(fingerprints.len(), &reads);
        Ok(())
    }

    /// Adds entries that are durable in the log; their seqs ascend and are above all seqs added
    /// before. Look-ups find them once this returns. Waits while
    /// [too many](crate::limits::INDEX_TABLES_WAITING_MAX) full tables wait to be written, unless
    /// writing them fails: see [`Index::health`].
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where seqs do not ascend.
    pub(crate) fn insert(&self, mut entries: &[Entry]) -> Result<()> {
        while !entries.is_empty() {
            let (added, due) = self.core.state_mut().insert(entries, self.core.options.table_entries)?;
            let Some(rest) = entries.get(added..) else { invariant!("more entries were added than there are") };
            entries = rest;
            match due {
                Some(TableWork::Flush) => room::make_room(&self.core),
                Some(TableWork::Spare) => self.core.signals.raise(),
                None => {}
            }
        }
        Ok(())
    }

    /// As [`Index::insert`], during a start: entries that were in memory before, or all entries
    /// where the index is built anew.
    ///
    /// # Errors
    /// The error that keeps tables from being written, once more of them are in memory than a crash
    /// can have left.
    pub(crate) fn replay(&self, entries: &[Entry]) -> Result<()> {
        self.insert(entries)?;
        room::check_replayed(&self.core)
    }

    /// Every entry up to this seq is in durable runs that the manifest names: recovery replays the
    /// log from the next seq on.
    pub(crate) fn covered_seq(&self) -> u64 {
        self.core.state().covered_seq
    }

    /// Whether the index can take more entries in bounded memory. A commit must be refused
    /// otherwise. The index recovers by itself when the cause is gone, such as a full disk.
    ///
    /// # Errors
    /// The error that keeps tables from being written, once the maximum of them waits.
    pub(crate) fn health(&self) -> Result<()> {
        room::check(&self.core)
    }

    /// The live run with the least number that is at least `from`.
    pub(crate) fn run_from(&self, from: u64) -> Option<Arc<Run>> {
        let state = self.core.state();
        let later = state.runs.iter().filter(|run| run.info().number >= from);
        later.min_by_key(|run| run.info().number).cloned()
    }

    /// Counts and sizes.
    pub(crate) fn stats(&self) -> IndexStats {
        self.core.stats()
    }

    /// Writes everything in memory to runs, so that the next start has nothing to replay.
    ///
    /// # Errors
    /// Those of [`Index::step`].
    pub(crate) fn flush(&self) -> Result<()> {
        self.core.state_mut().freeze(self.core.options.table_entries);
        while !self.core.state().frozen.is_empty() && worker::step(&self.core)? {}
        Ok(())
    }

    /// Does the next piece of background work: writes a full table, or a part of a merge. False
    /// where there is none.
    ///
    /// # Errors
    /// I/O errors, and [`Error::Damaged`](crate::Error::Damaged) where a run to be merged is
    /// damaged. Nothing is lost and the index goes on: the next call tries the same work again,
    /// except for merging after damage.
    pub(crate) fn step(&self) -> Result<bool> {
        worker::step(&self.core)
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.core.signals.close();
        if let Some(thread) = self.thread.take() {
            // Joining fails only if the thread panicked, and then it has ended as well.
            let _ = thread.join();
        }
    }
}

fn spawn(core: &Arc<IndexCore>) -> Result<JoinHandle<()>> {
    let own = Arc::clone(core);
    let spawned = background::spawn("sekali-ids", move || worker::run(&own));
    spawned.at("start a thread for", &core.dir)
}
