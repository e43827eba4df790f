//! The seed of every checksum of a partition.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::meta::StoreMeta;

/// Seed of every checksum in a partition's log, so that bytes of another store or partition never
/// pass for its own. It depends on the store's secret, so that nobody can craft a payload that
/// passes for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) u64);

impl Salt {
    pub(crate) fn new(store: &StoreMeta, partition: u32) -> Self {
        let mut bytes = store.hash_key.0.to_vec();
        bytes.extend_from_slice(&store.store_id.to_le_bytes());
        bytes.extend_from_slice(&partition.to_le_bytes());
        Self(xxh3_64(&bytes))
    }

    /// Appends the checksum of all of `bytes` to it.
    pub(crate) fn seal(self, bytes: &mut Vec<u8>) {
        let checksum = xxh3_64_with_seed(bytes, self.0);
        bytes.extend_from_slice(&checksum.to_le_bytes());
    }

    /// Returns the bytes given to [`Salt::seal`]; `None` if they do not match the checksum at the end.
    pub(crate) fn unseal(self, bytes: &[u8]) -> Option<&[u8]> {
        let (body, checksum) = bytes.split_last_chunk()?;
        (u64::from_le_bytes(*checksum) == xxh3_64_with_seed(body, self.0)).then_some(body)
    }
}
