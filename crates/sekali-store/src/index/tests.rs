//! The index as a whole: against a model, through crashes and failures at every call, and against damage.

mod crash;
mod damage;
mod lifecycle;
mod mem_disk;
mod model;

use std::path::PathBuf;
use std::sync::Arc;

use super::{Entry, Index, IndexOptions, IndexStats};
use crate::disk::Disk;
use crate::error::Result;
use crate::manifest::ManifestFile;
use mem_disk::{Kept, MemDisk};

/// An index in memory, whose background work is done step by step.
struct TestIndex {
    disk: Arc<MemDisk>,
    index: Index,
}

const TABLE_ENTRIES: usize = 50;

impl TestIndex {
    fn open(disk: &Arc<MemDisk>) -> Result<Self> {
        let options = IndexOptions { table_entries: TABLE_ENTRIES, background: false };
        let shared: Arc<dyn Disk> = disk.clone();
        let index = Index::open(Arc::clone(&shared), ids_dir(), manifest(disk)?, options)?;
        Ok(Self { disk: disk.clone(), index })
    }

    /// Opens it after a crash, in which the disk has lost what it could.
    fn reopen(self) -> Result<Self> {
        let disk = self.disk;
        drop(self.index);
        disk.crash(Kept::default());
        Self::open(&disk)
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

fn manifest(disk: &Arc<MemDisk>) -> Result<Arc<ManifestFile>> {
    let shared: Arc<dyn Disk> = disk.clone();
    Ok(Arc::new(ManifestFile::open(shared, &PathBuf::from("p/MANIFEST"))?))
}

fn ids_dir() -> PathBuf {
    PathBuf::from("p/ids")
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

/// That the index has exactly these entries, none twice, and not a stranger.
fn assert_has(index: &TestIndex, entries: &[Entry]) {
    let expected: Vec<_> = entries.iter().copied().enumerate().collect();
    assert_eq!(index.found(&fingerprints(entries)), expected);
    let strangers: Vec<u128> = (1_000_000..1_000_500).map(scatter).collect();
    assert_eq!(index.found(&strangers), []);
}
