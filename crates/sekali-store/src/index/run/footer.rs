//! The last 64 bytes of a run. The manifest names their checksum, which so stands for the whole
//! file.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `SEKALEND` |
//! | 8..16 | number of the run |
//! | 16..24 | number of entries |
//! | 24..32 | checksum of the header |
//! | 32..40 | XXH3 of fences and filter table together |
//! | 40..48 | bytes of filters |
//! | 48..56 | zero |
//! | 56..64 | XXH3 of bytes 0..56 |

use xxhash_rust::xxh3::xxh3_64;

use super::header::{RunHeader, number_at};
use super::layout::{FENCE_BYTES, SHAPE_BYTES, block_offset, blocks};
use crate::limits::INDEX_CHUNK_BLOCKS;
use crate::manifest::RunInfo;

pub(super) const FOOTER_BYTES: usize = 64;
const MAGIC: [u8; 8] = *b"SEKALEND";

/// The footer of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunFooter {
    pub(super) number: u64,
    pub(super) entries: u64,
    pub(super) header_checksum: u64,
    pub(super) index_checksum: u64,
    pub(super) filter_bytes: u64,
}

impl RunFooter {
    /// The bytes of the footer, and the checksum at their end.
    pub(super) fn encode(&self) -> ([u8; FOOTER_BYTES], u64) {
        let mut bytes = [0; FOOTER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let fields = [self.number, self.entries, self.header_checksum, self.index_checksum, self.filter_bytes];
        for (slot, field) in bytes[8..].as_chunks_mut().0.iter_mut().zip(fields) {
            *slot = field.to_le_bytes();
        }
        let checksum = xxh3_64(&bytes[..56]);
        bytes[56..].copy_from_slice(&checksum.to_le_bytes());
        (bytes, checksum)
    }

    /// Reads and verifies a footer.
    pub(super) fn decode(bytes: &[u8; FOOTER_BYTES]) -> Result<Self, String> {
        if bytes[..8] != MAGIC || number_at(bytes, 56) != xxh3_64(&bytes[..56]) {
            return Err("it does not end as a run: it was cut short or its footer is damaged".to_owned());
        }
        let [number, entries, header_checksum, index_checksum, filter_bytes] =
            [8, 16, 24, 32, 40].map(|at| number_at(bytes, at));
        Ok(Self { number, entries, header_checksum, index_checksum, filter_bytes })
    }

    /// Whether this is the footer of the run that the manifest names and that begins with `header`.
    pub(super) fn agrees_with(&self, info: &RunInfo, header: &RunHeader) -> Result<(), String> {
        let own_header = self.header_checksum == header.checksum;
        if own_header && self.number == info.number && self.entries == info.entries && self.encode().1 == info.checksum
        {
            Ok(())
        } else {
            Err("its footer disagrees with its header or with the manifest".to_owned())
        }
    }

    /// Where the fences begin. The filter table follows them.
    pub(super) fn fences_at(&self) -> u64 {
        block_offset(self.blocks())
    }

    /// Where the filters begin.
    pub(super) fn filters_at(&self) -> u64 {
        self.fences_at() + self.blocks() * FENCE_BYTES as u64 + self.chunks() * SHAPE_BYTES as u64
    }

    /// Length of the file; `None` where no file can be so long.
    pub(super) fn end(&self) -> Option<u64> {
        let plausible = self.entries < 1 << 48 && self.filter_bytes < 1 << 56;
        plausible.then(|| self.filters_at() + self.filter_bytes + FOOTER_BYTES as u64)
    }

    pub(super) fn blocks(&self) -> u64 {
        blocks(self.entries)
    }

    pub(super) fn chunks(&self) -> u64 {
        self.blocks().div_ceil(INDEX_CHUNK_BLOCKS as u64)
    }
}
