//! The header of a log file.
//!
//! ```text
//! offset size
//!      0    8  "SEKALOG1"
//!      8    4  format version
//!     12    4  partition
//!     16   16  store id
//!     32    8  seq of the first row to come
//!     40    8  number of the first commit to come
//!     48    8  checksum of the header of the last frame in the file before; 0 if there is none
//!     56    8  XXH3-64 of bytes 0..56, seeded with the partition's salt
//!     64       frames
//! ```

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bytes::Fields;
use crate::meta::FORMAT_VERSION;
use crate::salt::Salt;

const MAGIC: [u8; 8] = *b"SEKALOG1";
/// Length of the header.
pub(crate) const BYTES: usize = 64;
const CHECKSUM_AT: usize = 56;

/// Where a log file takes up the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) partition: u32,
    pub(crate) store_id: u128,
    pub(crate) first_seq: u64,
    pub(crate) first_commit: u64,
    pub(crate) previous: u64,
}

impl FileHeader {
    pub(crate) fn encode(&self, salt: Salt) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.partition.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store_id.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_commit.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.previous.to_le_bytes());
        let checksum = xxh3_64_with_seed(&bytes[..CHECKSUM_AT], salt.0);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header at the front of `bytes`; `None` where there is none.
    pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (magic, version) = (fields.array()?, fields.u32()?);
        let header = Self {
            partition: fields.u32()?,
            store_id: u128::from_le_bytes(fields.array()?),
            first_seq: fields.u64()?,
            first_commit: fields.u64()?,
            previous: fields.u64()?,
        };
        let valid = magic == MAGIC
            && version == FORMAT_VERSION
            && fields.u64()? == xxh3_64_with_seed(bytes.get(..CHECKSUM_AT)?, salt.0);
        valid.then_some(header)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trip(partition: u32, store_id: u128, first_seq: u64, first_commit: u64, previous: u64, at in 0..BYTES, bit in 0..8_u32) {
            let header = FileHeader { partition, store_id, first_seq, first_commit, previous };
            let mut bytes = header.encode(Salt(1));
            prop_assert_eq!(FileHeader::decode(&bytes, Salt(1)), Some(header));
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(FileHeader::decode(&bytes, Salt(1)), None);
        }
    }
}
