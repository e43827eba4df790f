//! The rows of a frame, in blocks that can be read and verified alone.
//!
//! ```text
//! offset size
//!      0    4  "SKB1"
//!      4    4  bytes of rows
//!      8    4  number of rows, at least 1
//!     12    4  zero
//!     16    8  seq of the first row
//!     24    8  received_at of the commit, nanoseconds since 1970-01-01T00:00:00Z
//!     32    8  XXH3-64 of bytes 0..32 and of the rows, seeded with the partition's salt
//!     40       rows
//! ```

use xxhash_rust::xxh3::Xxh3;

use super::row;
use crate::bytes::Fields;
use crate::event::EventRef;
use crate::salt::Salt;

pub(crate) const MAGIC: [u8; 4] = *b"SKB1";
/// Bytes of a block besides its rows.
pub(crate) const HEADER_BYTES: usize = 40;
const CHECKSUM_AT: usize = 32;

/// A verified block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) first_seq: u64,
    pub(crate) received_at_ns: i64,
    pub(crate) row_count: u32,
    /// Bytes of the whole block.
    pub(crate) len: usize,
    rows: &'a [u8],
}

impl<'a> Block<'a> {
    /// The seq after the last row.
    pub(crate) fn end_seq(&self) -> u64 {
        self.first_seq + u64::from(self.row_count)
    }

    /// Its rows with their seqs. Ends early where a row does not decode, which a right checksum
    /// rules out short of a defect.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, EventRef<'a>)> + use<'a> {
        let mut fields = Fields::new(self.rows);
        (self.first_seq..self.end_seq()).map_while(move |seq| Some((seq, row::decode(&mut fields)?)))
    }
}

/// Writes the header of a block whose rows are the bytes behind it: `block` is header and rows.
pub(crate) fn seal(block: &mut [u8], row_count: u32, first_seq: u64, received_at_ns: i64, salt: Salt) {
    debug_assert!(block.len() > HEADER_BYTES && row_count > 0);
    let rows_len = (block.len() - HEADER_BYTES) as u32;
    block[..4].copy_from_slice(&MAGIC);
    block[4..8].copy_from_slice(&rows_len.to_le_bytes());
    block[8..12].copy_from_slice(&row_count.to_le_bytes());
    block[12..16].fill(0);
    block[16..24].copy_from_slice(&first_seq.to_le_bytes());
    block[24..32].copy_from_slice(&received_at_ns.to_le_bytes());
    let checksum = checksum(&block[..CHECKSUM_AT], &block[HEADER_BYTES..], salt);
    block[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// The block at the front of `bytes`, verified; `None` where there is none.
pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Option<Block<'_>> {
    let block = decode_verified(bytes)?;
    let stored = bytes.get(CHECKSUM_AT..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let valid = stored == Some(checksum(&bytes[..CHECKSUM_AT], block.rows, salt));
    valid.then_some(block)
}

/// The block at the front of `bytes` that [`decode`] has verified before.
pub(crate) fn decode_verified(bytes: &[u8]) -> Option<Block<'_>> {
    let mut fields = Fields::new(bytes);
    let magic: [u8; 4] = fields.array()?;
    let rows_len = fields.u32()? as usize;
    let row_count = fields.u32()?;
    let zero = fields.u32()?;
    let (first_seq, received_at_ns, _checksum) = (fields.u64()?, fields.i64()?, fields.u64()?);
    let rows = fields.take(rows_len)?;
    let follows = first_seq.checked_add(row_count.into()).is_some();
    let valid = magic == MAGIC && zero == 0 && row_count > 0 && follows;
    valid.then_some(Block { first_seq, received_at_ns, row_count, len: HEADER_BYTES + rows_len, rows })
}

fn checksum(header: &[u8], rows: &[u8], salt: Salt) -> u64 {
    let mut hash = Xxh3::with_seed(salt.0);
    hash.update(header);
    hash.update(rows);
    hash.digest()
}
