//! The dedup index and its parts.

use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, RealDisk};
use crate::error::Result;
use crate::hash::Fingerprint;
use crate::index::filter::Filters;
use crate::index::run::{Run, RunWriter, sorted_keys};
use crate::index::table::Table;
use crate::index::{Entry, Index, IndexOptions, IndexStats};
use crate::manifest::{ManifestFile, RunInfo};

/// A dedup index on real files, with its manifest.
#[derive(Debug)]
pub struct DedupIndex(Index);

impl DedupIndex {
    /// Opens or makes the index in `dir`, with a thread for background work or without.
    pub fn open(dir: &Path, background: bool) -> Result<Self> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let manifest = Arc::new(ManifestFile::open(Arc::clone(&disk), &dir.join("MANIFEST"))?);
        let options = IndexOptions { background, ..IndexOptions::default() };
        Index::open(disk, dir.join("ids"), manifest, options).map(Self)
    }

    /// Appends the entries of `fingerprints`, with their positions there.
    pub fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) -> Result<()> {
        self.0.look_up(fingerprints, found)
    }

    /// Adds entries, whose seqs ascend.
    pub fn insert(&self, entries: &[Entry]) -> Result<()> {
        self.0.insert(entries)
    }

    /// Does the next piece of background work. `false` where there is none.
    pub fn step(&self) -> Result<bool> {
        self.0.step()
    }

    /// Writes everything in memory to runs.
    pub fn flush(&self) -> Result<()> {
        self.0.flush()
    }

    /// Every entry up to this seq is in runs.
    pub fn covered_seq(&self) -> u64 {
        self.0.covered_seq()
    }

    /// Counts and sizes.
    pub fn stats(&self) -> IndexStats {
        self.0.stats()
    }
}

/// The newest entries, in memory.
#[derive(Debug)]
pub struct KeyTable {
    table: Table,
    order: Vec<(u64, u32)>,
}

impl KeyTable {
    /// An empty table whose memory is touched as it fills.
    pub fn new(capacity: usize) -> Self {
        Self { table: Table::new(capacity), order: Vec::new() }
    }

    /// An empty table whose memory is touched already.
    pub fn in_memory(capacity: usize) -> Self {
        Self { table: Table::in_memory(capacity), order: Vec::new() }
    }

    /// Adds entries, whose seqs ascend.
    pub fn insert(&mut self, entries: &[Entry]) -> Result<usize> {
        self.table.insert(entries)
    }

    /// Appends the entries of `fingerprints`, with their positions there.
    pub fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) {
        self.table.look_up(fingerprints, found);
    }

    /// The entries by fingerprint.
    pub fn sorted(&mut self) -> Result<impl Iterator<Item = Entry> + '_> {
        self.table.sorted(&mut self.order)
    }
}

/// Filters of the chunks of a run.
#[derive(Debug, Default)]
pub struct KeyFilters(Filters);

impl KeyFilters {
    /// Adds the filter of some distinct keys, of `bits` bits.
    pub fn build(&mut self, keys: &[u64], bits: u32) {
        self.0.build(keys, bits);
    }
}

/// A sorted file of entries.
#[derive(Debug)]
pub struct IndexRun(Run);

impl IndexRun {
    /// Writes entries, which are sorted and have the seqs from 1 on, as run 1 in `dir`.
    pub fn write(dir: &Path, entries: &[Entry], filter_bits: u32) -> Result<Self> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let count = entries.len() as u64;
        let info = RunInfo { number: 1, entries: count, first_seq: 1, last_seq: count, checksum: 0 };
        let mut writer = RunWriter::create(&disk, dir, info, filter_bits)?;
        entries.iter().try_for_each(|entry| writer.push(entry))?;
        writer.finish().map(Self)
    }

    /// Appends the entries of `fingerprints`, with their positions there.
    pub fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) -> Result<()> {
        self.0.look_up(fingerprints, &sorted_keys(fingerprints)?, found).map(drop)
    }
}

/// Sorts the keys of a batch, as every look-up does. Returns how many there are.
pub fn sort_batch(fingerprints: &[Fingerprint]) -> Result<usize> {
    sorted_keys(fingerprints).map(|keys| keys.len())
}
