//! Fences and filters: the part of a run that is in memory.
//!
//! An entry of the filter table is 32 bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | seed |
//! | 8..12 | slots in a segment |
//! | 12..16 | slots in all segments but the last two |
//! | 16..20 | bits of a value; 0 where the chunk has no filter and every key passes |
//! | 20..24 | zero |
//! | 24..32 | XXH3 of the filter's bytes |

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::super::filter::{FilterShape, Filters};
use super::footer::RunFooter;
use super::header::number_at;
use super::layout::{FENCE_BYTES, SHAPE_BYTES};
use crate::disk::{DiskFile, unreadable};
use crate::error::{Error, Result};
use crate::limits::INDEX_CHUNK_BLOCKS;

/// Fences and filters of a run.
#[derive(Debug)]
pub(super) struct RunGuide {
    /// Upper 64 bits of the first fingerprint of each block.
    pub(super) fences: Vec<u64>,
    /// The fences of the first block of each chunk, close together because every look-up needs
    /// them.
    pub(super) chunk_fences: Vec<u64>,
    pub(super) filters: Filters,
}

impl RunGuide {
    pub(super) fn new(fences: Vec<u64>, filters: Filters) -> Self {
        let chunk_fences = fences.iter().step_by(INDEX_CHUNK_BLOCKS).copied().collect();
        Self { fences, chunk_fences, filters }
    }

    /// Reads and verifies the part of the file behind the blocks.
    pub(super) fn read(file: &dyn DiskFile, path: &Path, footer: &RunFooter) -> Result<Self> {
        let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
        let mut bytes = vec![0; (footer.filters_at() - footer.fences_at()) as usize];
        unreadable::read_at(file, path, &mut bytes, footer.fences_at())?;
        if xxh3_64(&bytes) != footer.index_checksum {
            return Err(damaged("the checksum of its fences does not agree"));
        }
        let (fences, table) = bytes
            .split_at_checked(footer.blocks() as usize * FENCE_BYTES)
            .ok_or_else(|| damaged("it has no fences"))?;
        let fences: Vec<u64> = fences.as_chunks().0.iter().map(|fence| u64::from_le_bytes(*fence)).collect();
        if !fences.is_sorted() {
            return Err(damaged("its fences are not in order"));
        }
        let filters = read_filters(file, path, footer, table.as_chunks().0)?;
        Ok(Self::new(fences, filters))
    }

    /// The bytes of fences and filter table.
    pub(super) fn encode(&self) -> Vec<u8> {
        let len = self.fences.len() * FENCE_BYTES + self.filters.len() * SHAPE_BYTES;
        let mut bytes = Vec::with_capacity(len);
        self.fences.iter().for_each(|fence| bytes.extend_from_slice(&fence.to_le_bytes()));
        for (shape, values) in self.filters.iter() {
            bytes.extend_from_slice(&encode_shape(&shape, xxh3_64(values)));
        }
        bytes
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        let fences = (self.fences.len() + self.chunk_fences.len()) * FENCE_BYTES;
        (fences + self.filters.len_bytes() + self.filters.len() * SHAPE_BYTES) as u64
    }
}

fn read_filters(file: &dyn DiskFile, path: &Path, footer: &RunFooter, table: &[[u8; SHAPE_BYTES]]) -> Result<Filters> {
    let damaged = |chunk: usize| {
        let what = format!("the filter of chunk {chunk} is damaged");
        Error::Damaged { path: path.to_owned(), what }
    };
    let mut filters = Filters::with_bytes(table.len(), footer.filter_bytes as usize);
    let (mut at, end) = (footer.filters_at(), footer.filters_at() + footer.filter_bytes);
    let mut values = Vec::new();
    for (chunk, bytes) in table.iter().enumerate() {
        let (shape, checksum) = decode_shape(bytes);
        let len = shape.len_bytes();
        if !shape.is_possible() || len as u64 > end - at {
            return Err(damaged(chunk));
        }
        values.resize(len, 0);
        unreadable::read_at(file, path, &mut values, at)?;
        if xxh3_64(&values) != checksum {
            return Err(damaged(chunk));
        }
        filters.add(shape, &values);
        at += len as u64;
    }
    if at == end { Ok(filters) } else { Err(damaged(table.len())) }
}

fn encode_shape(shape: &FilterShape, checksum: u64) -> [u8; SHAPE_BYTES] {
    let mut bytes = [0; SHAPE_BYTES];
    bytes[..8].copy_from_slice(&shape.seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&shape.segment.to_le_bytes());
    bytes[12..16].copy_from_slice(&shape.slots.to_le_bytes());
    bytes[16..20].copy_from_slice(&shape.bits.to_le_bytes());
    bytes[24..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode_shape(bytes: &[u8; SHAPE_BYTES]) -> (FilterShape, u64) {
    // The upper half of a number read at 12 or 16 belongs to the next field.
    let segment = number_at(bytes, 8) as u32;
    let slots = number_at(bytes, 12) as u32;
    let bits = number_at(bytes, 16) as u32;
    (FilterShape { seed: number_at(bytes, 0), segment, slots, bits }, number_at(bytes, 24))
}
