//! Counters of an index.

use std::sync::atomic::{AtomicU64, Ordering};

use super::run::LookupCost;

/// The state of an index. Look-ups are counted since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexStats {
    /// Fingerprints looked up.
    pub look_ups: u64,
    /// Blocks read for look-ups.
    pub disk_reads: u64,
    /// Times that a filter passed a fingerprint and its run was searched.
    pub filter_hits: u64,
    /// Times among these that the run did not have it.
    pub false_positives: u64,
    /// Number of runs.
    pub runs: usize,
    /// Entries in runs.
    pub entries_in_runs: u64,
    /// Entries in tables, and so not yet covered by the manifest.
    pub entries_in_memory: u64,
    /// Full tables that wait to be written.
    pub tables_waiting: usize,
    /// Bytes that the merges due will write.
    pub merge_debt_bytes: u64,
    /// Memory of the filters and fences of runs, in bytes.
    pub filter_bytes: u64,
    /// Length of all runs, in bytes.
    pub disk_bytes: u64,
    /// Why the last flush or merge failed, until a later one succeeds. Nothing is lost: the entries
    /// stay in memory and in the log.
    pub failed: Option<String>,
}

/// Counters of look-ups, shared by all readers.
#[derive(Debug, Default)]
pub(super) struct LookupCounters {
    look_ups: AtomicU64,
    disk_reads: AtomicU64,
    filter_hits: AtomicU64,
    false_positives: AtomicU64,
}

impl LookupCounters {
    /// Counts the look-up of a batch.
    pub(super) fn add(&self, look_ups: usize, reads: &LookupCost) {
        self.look_ups.fetch_add(look_ups as u64, Ordering::Relaxed);
        self.disk_reads.fetch_add(reads.blocks, Ordering::Relaxed);
        self.filter_hits.fetch_add(reads.passed, Ordering::Relaxed);
        self.false_positives.fetch_add(reads.false_positives, Ordering::Relaxed);
    }

    /// Copies the counters into `stats`.
    pub(super) fn report(&self, stats: &mut IndexStats) {
        stats.look_ups = self.look_ups.load(Ordering::Relaxed);
        stats.disk_reads = self.disk_reads.load(Ordering::Relaxed);
        stats.filter_hits = self.filter_hits.load(Ordering::Relaxed);
        stats.false_positives = self.false_positives.load(Ordering::Relaxed);
    }
}
