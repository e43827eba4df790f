//! Looks up a batch of fingerprints in a run.
//!
//! The batch is sorted once for all runs, so that filters, fences and blocks are touched in the
//! order of memory and file. Filters are probed for a strip of keys at a time and without branches,
//! so that the cache misses of many keys are in flight at once. Only keys that a filter passes are
//! looked for on disk.

use std::ops::AddAssign;

use super::super::block::{BLOCK_BYTES, BlockBytes, BlockPlace, RunBlock};
use super::super::entry::{Entry, filter_key};
use super::super::filter::Probe;
use super::super::sort::{SortKey, sort_by_upper_half};
use super::Run;
use super::layout::block_offset;
use crate::disk::unreadable;
use crate::error::Result;
use crate::hash::Fingerprint;
use crate::invariant::invariant;
use crate::limits::INDEX_CHUNK_BLOCKS;

/// The keys of a batch, sorted. A batch has fewer than 2^32 fingerprints.
///
/// # Errors
/// [`Error::Broken`](crate::Error::Broken).
pub(crate) fn sorted_keys(fingerprints: &[Fingerprint]) -> Result<Vec<SortKey>> {
    let mut keys = Vec::new();
    sort_by_upper_half(fingerprints.iter().map(|&fingerprint| filter_key(fingerprint)), Ord::cmp, &mut keys)?;
    Ok(keys)
}

/// The cost of look-ups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LookupCost {
    /// Blocks read from the file.
    pub blocks: u64,
    /// Keys that passed the filter.
    pub passed: u64,
    /// Keys among those that the run does not have.
    pub false_positives: u64,
}

impl AddAssign for LookupCost {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.passed += other.passed;
        self.false_positives += other.false_positives;
    }
}

impl Run {
    /// Appends every entry with one of `fingerprints`, and its position there. `keys` are their
    /// [`sorted_keys`].
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) where a block is, and I/O errors.
    pub(crate) fn look_up(
        &self,
        fingerprints: &[Fingerprint],
        keys: &[SortKey],
        found: &mut Vec<(usize, Entry)>,
    ) -> Result<LookupCost> {
        let mut reads = LookupCost::default();
        let mut block = CachedBlock { index: None, bytes: [0; BLOCK_BYTES] };
        let mut passed = [(0, 0); STRIP];
        for keys in keys.chunks(STRIP) {
            let count = self.filter(keys, &mut passed);
            for &(key, at) in passed.iter().take(count) {
                let Some(&fingerprint) = fingerprints.get(at as usize) else {
                    invariant!("a key of a look-up has no fingerprint")
                };
                let before = found.len();
                self.find(key, fingerprint, &mut block, &mut reads, |entry| found.push((at as usize, entry)))?;
                reads.passed += 1;
                reads.false_positives += u64::from(found.len() == before);
            }
        }
        Ok(reads)
    }

    /// Keeps the keys that the filters pass, and returns their number.
    fn filter(&self, keys: &[SortKey], passed: &mut [SortKey; STRIP]) -> usize {
        let filters = &self.guide.filters;
        let mut probes = [Probe::FAILS; STRIP];
        let (mut chunk, mut chunk_end) = (0, 0);
        for (probe, &(key, _)) in probes.iter_mut().zip(keys) {
            // Keys ascend, so most belong to the chunk of the key before.
            if key >= chunk_end {
                chunk = self.chunk_of(key);
                chunk_end = self.guide.chunk_fences.get(chunk + 1).copied().unwrap_or(u64::MAX);
            }
            *probe = filters.probe(chunk, key);
        }
        let mut values = [0; STRIP];
        for ((value, probe), _) in values.iter_mut().zip(&probes).zip(keys) {
            *value = filters.values(probe);
        }
        let mut count = 0;
        for ((probe, value), &key) in probes.iter().zip(values).zip(keys) {
            // Written in any case and kept if it passes, so that no branch is mispredicted.
            if let Some(slot) = passed.get_mut(count) {
                *slot = key;
            }
            count += usize::from(probe.passes(value));
        }
        count
    }

    /// The last chunk that begins at or before `key`; the first chunk if none does. A key that
    /// fills several chunks is in the filter of each, so this one stands for all.
    fn chunk_of(&self, key: u64) -> usize {
        let fences = &self.guide.chunk_fences;
        // Fingerprints are uniform: the chunk is where an even spacing would put the key, or next
        // to it.
        let guess = ((u128::from(key) * fences.len() as u128) >> 64) as usize;
        let begins = fences.get(guess).is_some_and(|&fence| fence <= key);
        if begins && fences.get(guess + 1).is_none_or(|&fence| key < fence) {
            return guess;
        }
        fences.partition_point(|&fence| fence <= key).saturating_sub(1)
    }

    /// Looks for `fingerprint` in the blocks that can hold it.
    fn find(
        &self,
        key: u64,
        fingerprint: Fingerprint,
        block: &mut CachedBlock,
        reads: &mut LookupCost,
        mut found: impl FnMut(Entry),
    ) -> Result<()> {
        let mut index = self.first_block_of(key);
        loop {
            self.block(index as u64, block, reads)?.find(fingerprint).for_each(&mut found);
            index += 1;
            if self.guide.fences.get(index).is_none_or(|&fence| fence > key) {
                return Ok(());
            }
        }
    }

    /// Returns block `index`, from the file unless `cached` holds it, verified in either case.
    fn block<'a>(&self, index: u64, cached: &'a mut CachedBlock, reads: &mut LookupCost) -> Result<RunBlock<'a>> {
        if cached.index != Some(index) {
            cached.index = None;
            unreadable::read_at(&*self.file, &self.path, &mut cached.bytes, block_offset(index))?;
            cached.index = Some(index);
            reads.blocks += 1;
        }
        let place = BlockPlace { run: self.info.number, index, first_seq: self.info.first_seq };
        RunBlock::open(&cached.bytes, &place).map_err(|what| self.damaged(format!("block {index}: {what}")))
    }

    /// The last block that begins before `key`, which may hold it at its end; the first block if
    /// none does.
    fn first_block_of(&self, key: u64) -> usize {
        let fences = &self.guide.fences;
        let from = self.chunk_of(key) * INDEX_CHUNK_BLOCKS;
        let chunk = fences.get(from..fences.len().min(from + INDEX_CHUNK_BLOCKS)).unwrap_or_default();
        match chunk.partition_point(|&fence| fence < key) {
            // The key begins the chunk, so its block may be in a chunk before.
            0 => fences.partition_point(|&fence| fence < key).saturating_sub(1),
            blocks => from + blocks - 1,
        }
    }
}

/// Keys that are filtered before the first block is read for one of them.
const STRIP: usize = 128;

/// The last block read. Neighbours in a sorted batch are often in one block.
struct CachedBlock {
    index: Option<u64>,
    bytes: BlockBytes,
}
