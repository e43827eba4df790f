//! The first 4,096 bytes of a run.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `SEKALRUN` |
//! | 8..12 | version, 1 |
//! | 12..16 | zero |
//! | 16..24 | number of the run |
//! | 24..32 | number of entries |
//! | 32..40 | first seq: the smallest, from which the entries' seqs are counted |
//! | 40..48 | last seq: the greatest |
//! | 48..4088 | zero |
//! | 4088..4096 | XXH3 of bytes 0..4088 |

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::super::block::{BLOCK_BYTES, BlockBytes};
use crate::error::{Error, Result};
use crate::manifest::RunInfo;

const MAGIC: [u8; 8] = *b"SEKALRUN";
/// The newest version of run files that this program reads, and the one it writes.
const RUN_VERSION: u32 = 1;
const CHECKSUM_AT: usize = BLOCK_BYTES - 8;

/// The header of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunHeader {
    pub(super) number: u64,
    pub(super) entries: u64,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    /// Checksum of the header itself; known once it is encoded.
    pub(super) checksum: u64,
}

impl RunHeader {
    /// The bytes of the header. `checksum` is ignored.
    pub(super) fn encode(&self) -> BlockBytes {
        let mut bytes = [0; BLOCK_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&RUN_VERSION.to_le_bytes());
        let fields = [self.number, self.entries, self.first_seq, self.last_seq];
        for (slot, field) in bytes[16..].as_chunks_mut().0.iter_mut().zip(fields) {
            *slot = field.to_le_bytes();
        }
        let checksum = xxh3_64(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads and verifies the header of the file at `path`, which is only named in errors.
    pub(super) fn decode(bytes: &BlockBytes, path: &Path) -> Result<Self> {
        let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
        let checksum = number_at(bytes, CHECKSUM_AT);
        if checksum != xxh3_64(&bytes[..CHECKSUM_AT]) {
            return Err(damaged("the checksum of its header does not agree"));
        }
        if bytes[..8] != MAGIC {
            return Err(damaged("it does not begin as a run"));
        }
        // Only the lower half: the upper half is reserved.
        let found = number_at(bytes, 8) as u32;
        match found {
            RUN_VERSION => {}
            0 => return Err(damaged("its version is 0")),
            _ => return Err(Error::NewerFormat { path: path.to_owned(), found, known: RUN_VERSION }),
        }
        let [number, entries, first_seq, last_seq] = [16, 24, 32, 40].map(|at| number_at(bytes, at));
        Ok(Self { number, entries, first_seq, last_seq, checksum })
    }

    /// Whether this is the header of the run that the manifest names.
    pub(super) fn agrees_with(&self, info: &RunInfo) -> Result<(), String> {
        let stated = (info.number, info.entries, info.first_seq, info.last_seq);
        if (self.number, self.entries, self.first_seq, self.last_seq) == stated {
            Ok(())
        } else {
            Err("its header disagrees with the manifest".to_owned())
        }
    }
}

/// The integer in eight bytes of `bytes`; 0 where there are fewer.
pub(super) fn number_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u64::from_le_bytes(*number))
}
