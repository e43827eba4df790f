//! The append-only log of a partition: the write-ahead log and the store itself.
//!
//! A **file** begins with a header ([`header`]) and holds frames. A **frame** ([`frame`]) is one commit: a header with its
//! counts and its place in the chain, then its rows in **blocks** ([`block`]), each with a checksum of its own, so that one
//! event can be read without reading its whole commit. A **row** ([`row`]) is one stored event.
//!
//! In memory a file is described by an [`outline`]: where its extents begin (runs of blocks of about 64 KiB) and which topics
//! they hold. Outlines of closed files are saved beside them as a cache; [`recovery`] makes them anew where they are missing.

pub(crate) mod block;
pub(crate) mod dir;
pub(crate) mod file;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod open;
pub(crate) mod outline;
pub(crate) mod recovery;
pub(crate) mod room;
pub(crate) mod row;
pub(crate) mod writer;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::meta::NewStore;

/// Seed of every checksum in a partition's log, so that bytes of another store or partition never pass for its own. It
/// depends on the store's secret, so that nobody can craft a payload that passes for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) u64);

impl Salt {
    pub(crate) fn new(store: &NewStore, partition: u32) -> Self {
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

    /// What [`Salt::seal`] was given; `None` where the checksum at the end does not agree with it.
    pub(crate) fn unseal(self, bytes: &[u8]) -> Option<&[u8]> {
        let (body, checksum) = bytes.split_last_chunk()?;
        (u64::from_le_bytes(*checksum) == xxh3_64_with_seed(body, self.0)).then_some(body)
    }
}
