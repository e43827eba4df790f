//! The state that an index shares with its background thread.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::failures::Failures;
use super::open;
use super::options::IndexOptions;
use super::plan;
use super::progress::UpkeepProgress;
use super::run::Run;
use super::signals::Signals;
use super::state::IndexState;
use super::stats::{IndexStats, LookupCounters};
use crate::disk::Disk;
use crate::disk::remover::Remover;
use crate::error::{Error, IoContext as _, Result};
use crate::limits::INDEX_TABLE_ENTRIES_MAX;
use crate::manifest::ManifestFile;

/// The files, the settings and the state of an index. Locks are taken in the order of the fields
/// and never held across I/O, except that of `progress`.
#[derive(Debug)]
pub(super) struct IndexCore {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) manifest: Arc<ManifestFile>,
    pub(super) options: IndexOptions,
    pub(super) counters: LookupCounters,
    pub(super) signals: Signals,
    /// Locked by the thread that does a step of background work, for the whole step.
    progress: Mutex<UpkeepProgress>,
    state: RwLock<IndexState>,
    pub(super) failures: Failures,
    pub(super) remover: Remover,
}

impl IndexCore {
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        manifest: Arc<ManifestFile>,
        options: IndexOptions,
    ) -> Result<Self> {
        if !(1..=INDEX_TABLE_ENTRIES_MAX).contains(&options.table_entries) {
            return Err(Error::Invalid(format!("a table has 1 to {INDEX_TABLE_ENTRIES_MAX} entries")));
        }
        let opened = open::open(&*disk, &dir, &manifest)?;
        let remover = Remover::start(options.background).at("start a thread for", &dir)?;
        Ok(Self {
            disk,
            dir,
            manifest,
            options,
            counters: LookupCounters::default(),
            signals: Signals::default(),
            progress: Mutex::new(UpkeepProgress::new(opened.next_run)),
            state: RwLock::new(IndexState::new(opened.runs, opened.covered_seq, options.table_entries)),
            failures: Failures::default(),
            remover,
        })
    }

    /// Locks the background work, once no other thread does a step of it.
    pub(super) fn progress(&self) -> MutexGuard<'_, UpkeepProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, IndexState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, IndexState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> IndexStats {
        let state = self.state();
        let candidates: Vec<_> = state.runs.iter().map(|run| plan::MergeCandidate::new(run.info(), false)).collect();
        let debt = plan::debt_entries(&candidates, self.options.table_entries);
        let sum = |of: fn(&Run) -> u64| state.runs.iter().map(|run| of(run)).sum();
        let mut stats = IndexStats {
            runs: state.runs.len(),
            entries_in_runs: sum(|run| run.info().entries),
            entries_in_memory: state.entries_in_memory(),
            tables_waiting: state.frozen.len(),
            merge_debt_bytes: Run::block_bytes(debt),
            filter_bytes: sum(Run::memory_bytes),
            disk_bytes: sum(Run::disk_bytes),
            failed: self.failures.message(),
            ..IndexStats::default()
        };
        self.counters.report(&mut stats);
        stats
    }
}
