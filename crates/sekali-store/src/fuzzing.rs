//! Entry points for fuzzing: each function takes arbitrary bytes as a file, and panics where the
//! engine does or where its answer contradicts itself. `fuzz/` calls them with new inputs, and a
//! test with those that are kept.
//!
//! Nearly every byte on disk is under a checksum, which a fuzzer does not guess. So each input is
//! read twice: as it is, and with checksums that agree, as if the engine itself had written such a
//! thing.

mod log;
mod run;
mod segment;

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::hash::HashKey;
use crate::manifest::Manifest;
use crate::meta::StoreMeta;

pub use log::{frame, log};
pub use run::run;
pub use segment::segment;

/// The store whose files are fuzzed: its secret is in their checksums.
pub const STORE: StoreMeta = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };

/// A manifest. One that is read must be written and read again as the same.
pub fn manifest(bytes: &[u8]) {
    read_manifest(bytes);
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let body = bytes.get(..end).unwrap_or_default();
    let body = body.strip_suffix(b"\n").and_then(|body| body.iter().rposition(|&byte| byte == b'\n'));
    let mut mended = bytes.get(..body.map_or(0, |at| at + 1)).unwrap_or_default().to_vec();
    let checksum = format!("# checksum {:016x}\n", xxh3_64(&mended));
    mended.extend_from_slice(checksum.as_bytes());
    read_manifest(&mended);
}

fn read_manifest(bytes: &[u8]) {
    let path = Path::new("MANIFEST");
    if let Ok(manifest) = Manifest::decode(bytes, path) {
        let again = manifest.encode().and_then(|bytes| Manifest::decode(&bytes, path));
        assert!(again.is_ok_and(|again| again == manifest), "a manifest changes when it is written");
    }
}

/// Writes the number at `at`, if there is room.
fn put(bytes: &mut [u8], at: usize, number: u64) {
    if let Some(place) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = number.to_le_bytes();
    }
}

/// The number at `at`; 0 where there is none.
fn number_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u64::from_le_bytes(*number))
}
