//! The index as a whole: against a model, through crashes and failures at every call, and against
//! damage.

mod crash;
mod damage;
mod lifecycle;
mod model;

use std::path::PathBuf;
use std::sync::Arc;

use super::{Entry, Index, IndexOptions, IndexStats};
use crate::disk::Disk;
use crate::disk::memory::MemoryDisk;
use crate::error::Result;
use crate::manifest::ManifestFile;

/// An index in memory, whose background work is done step by step.
struct TestIndex {
    disk: MemoryDisk,
    index: Index,
}

const TABLE_ENTRIES: usize = 50;

impl TestIndex {
    fn open(disk: &MemoryDisk) -> Result<Self> {
        let options = IndexOptions { table_entries: TABLE_ENTRIES, background: false };
        let index = Index::open(Arc::new(disk.clone()), ids_dir(), manifest(disk)?, options)?;
        Ok(Self { disk: disk.clone(), index })
    }

    /// Opens it after a power cut in which the disk has lost everything that was not synced.
    fn reopen(self) -> Result<Self> {
        let Self { disk, index } = self;
        drop(index);
        Self::open(&disk.power_cut(&mut |_| 0))
    }

    /// Everything the index has for these fingerprints, in order.
    fn found(&self, fingerprints: &[u128]) -> Vec<(usize, Entry)> {
        let mut found = Vec::new();
        self.index.look_up(fingerprints, &mut found).unwrap();
        found.sort_unstable();
        found
    }

    fn settle(&self) {
        while self.index.step().unwrap() {}
    }

    fn stats(&self) -> IndexStats {
        self.index.stats()
    }
}

fn manifest(disk: &MemoryDisk) -> Result<Arc<ManifestFile>> {
    Ok(Arc::new(ManifestFile::open(Arc::new(disk.clone()), &manifest_path())?))
}

fn ids_dir() -> PathBuf {
    PathBuf::from("/p/ids")
}

fn manifest_path() -> PathBuf {
    PathBuf::from("/p/MANIFEST")
}

/// Entries `first..=last` with fingerprints that look random.
fn entries(first: u64, last: u64) -> Vec<Entry> {
    (first..=last).map(|seq| Entry { fingerprint: scatter(seq), seq, content: !seq }).collect()
}

fn scatter(seq: u64) -> u128 {
    u128::from(seq + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn fingerprints(entries: &[Entry]) -> Vec<u128> {
    entries.iter().map(|entry| entry.fingerprint).collect()
}

/// Asserts that the index has exactly these entries, none twice, and no others.
fn assert_has(index: &TestIndex, entries: &[Entry]) {
    let expected: Vec<_> = entries.iter().copied().enumerate().collect();
    assert_eq!(index.found(&fingerprints(entries)), expected);
    let strangers: Vec<u128> = (1_000_000..1_000_500).map(scatter).collect();
    assert_eq!(index.found(&strangers), []);
}
