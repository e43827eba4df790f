//! The anchor of a segment, by which its directory is found. It stands right behind each of the two
//! copies of the directory: behind the row groups, and before Parquet's footer. All integers are
//! little-endian; checksums are seeded with the partition's salt.
//!
//! ```text
//! offset size
//!      0    8  "SEKASEG1"
//!      8    4  format version
//!     12    4  partition
//!     16   16  store id
//!     32    8  offset of the first directory
//!     40    8  bytes of the directory
//!     48    8  bytes of Parquet's page indexes, which stand behind the first anchor
//!     56    8  bytes of Parquet's footer with its length and "PAR1", behind the second anchor
//!     64    8  XXH3-64 of the page indexes and that footer
//!     72    8  XXH3-64 of bytes 0..72
//! ```

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bytes::Fields;
use crate::salt::Salt;

/// The first bytes of an anchor.
pub(super) const ANCHOR_MAGIC: [u8; 8] = *b"SEKASEG1";
/// Length of an anchor.
pub(super) const ANCHOR_BYTES: usize = 80;
const ANCHOR_CHECKSUM_AT: usize = 72;

/// Where the parts of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) version: u32,
    pub(super) partition: u32,
    pub(super) store_id: u128,
    pub(super) directory_offset: u64,
    pub(super) directory_len: u64,
    pub(super) page_index_len: u64,
    pub(super) footer_len: u64,
    /// Of the page indexes and the footer.
    pub(super) parquet_checksum: u64,
}

impl Anchor {
    /// Where Parquet's page indexes begin.
    pub(super) fn page_index_offset(&self) -> u64 {
        self.directory_offset.saturating_add(self.directory_len).saturating_add(ANCHOR_BYTES as u64)
    }

    /// Where the second directory begins.
    pub(super) fn second_offset(&self) -> u64 {
        self.page_index_offset().saturating_add(self.page_index_len)
    }

    /// Where Parquet's footer begins.
    pub(super) fn footer_offset(&self) -> u64 {
        self.second_offset().saturating_add(self.directory_len).saturating_add(ANCHOR_BYTES as u64)
    }

    /// Length of the whole file.
    pub(super) fn file_len(&self) -> u64 {
        self.footer_offset().saturating_add(self.footer_len)
    }

    pub(super) fn encode(&self, salt: Salt) -> [u8; ANCHOR_BYTES] {
        let mut bytes = [0; ANCHOR_BYTES];
        bytes[..8].copy_from_slice(&ANCHOR_MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.partition.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store_id.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.directory_offset.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.directory_len.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.page_index_len.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.footer_len.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.parquet_checksum.to_le_bytes());
        let checksum = xxh3_64_with_seed(&bytes[..ANCHOR_CHECKSUM_AT], salt.0);
        bytes[ANCHOR_CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The anchor at the front of `bytes`; `None` where there is none.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic: [u8; 8] = fields.array()?;
        let anchor = Self {
            version: fields.u32()?,
            partition: fields.u32()?,
            store_id: u128::from_le_bytes(fields.array()?),
            directory_offset: fields.u64()?,
            directory_len: fields.u64()?,
            page_index_len: fields.u64()?,
            footer_len: fields.u64()?,
            parquet_checksum: fields.u64()?,
        };
        let valid =
            magic == ANCHOR_MAGIC && fields.u64()? == xxh3_64_with_seed(bytes.get(..ANCHOR_CHECKSUM_AT)?, salt.0);
        valid.then_some(anchor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_anchor_comes_back_and_every_flip_is_seen(numbers: [u64; 5], at in 0..ANCHOR_BYTES, bit in 0..8_u32) {
            let [directory_offset, directory_len, page_index_len, footer_len, parquet_checksum] = numbers;
            let anchor = Anchor { version: 1, partition: 2, store_id: 3, directory_offset, directory_len, page_index_len, footer_len, parquet_checksum };
            let mut bytes = anchor.encode(Salt(1));
            prop_assert_eq!(Anchor::decode(&bytes, Salt(1)), Some(anchor));
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Anchor::decode(&bytes, Salt(1)), None);
        }
    }
}
