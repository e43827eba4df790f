//! Runs of the dedup index.

use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::{number_at, put};
use crate::disk::Disk as _;
use crate::disk::memory::MemoryDisk;
use crate::index::block::{self, BLOCK_BYTES, BLOCK_ENTRIES, BlockPlace};
use crate::index::run::{Run, RunStream, file_name, sorted_keys};
use crate::limits::INDEX_CHUNK_BLOCKS;
use crate::manifest::RunInfo;

const HEADER_CHECKSUM_AT: usize = BLOCK_BYTES - 8;
const FOOTER_BYTES: usize = 64;
const FENCE_BYTES: usize = 8;
const SHAPE_BYTES: usize = 32;

/// A run file, as the manifest would name it: opened, read from beginning to end, and looked up in.
pub fn run(bytes: &[u8]) {
    read(bytes);
    if let Some(mended) = mend(bytes) {
        read(&mended);
    }
}

fn read(bytes: &[u8]) {
    let footer = bytes.len().saturating_sub(FOOTER_BYTES);
    let info = RunInfo {
        number: number_at(bytes, 16),
        entries: number_at(bytes, 24),
        first_seq: number_at(bytes, 32),
        last_seq: number_at(bytes, 40),
        checksum: number_at(bytes, footer + FOOTER_BYTES - 8),
    };
    let (disk, dir) = (MemoryDisk::new(), Path::new("/ids"));
    let written = disk.create_dir_all(dir).and_then(|()| disk.create(&dir.join(file_name(info.number))));
    assert!(written.is_ok_and(|file| file.write_all_at(bytes, 0).is_ok()), "a disk in memory fails");
    let Ok(run) = Run::open(&disk, dir, &info).map(Arc::new) else { return };
    let mut stream = RunStream::new(Arc::clone(&run));
    let mut fingerprints = vec![0, u128::MAX];
    while let Ok(Some(entry)) = stream.next_entry() {
        fingerprints.push(entry.fingerprint);
    }
    let mut found = Vec::new();
    let keys = sorted_keys(&fingerprints);
    if keys.and_then(|keys| run.look_up(&fingerprints, &keys, &mut found)).is_ok() {
        let own = found.iter().all(|(at, entry)| fingerprints.get(*at) == Some(&entry.fingerprint));
        assert!(own, "an entry of another fingerprint is found");
    }
}

/// The same run with a number of entries that fits its length, and checksums that agree.
fn mend(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let footer = bytes.len().checked_sub(FOOTER_BYTES)?;
    let space = footer.checked_sub(BLOCK_BYTES)?;
    let blocks_max = space.checked_sub(SHAPE_BYTES)? / (BLOCK_BYTES + FENCE_BYTES + SHAPE_BYTES);
    let entries = number_at(&bytes, 24).clamp(1, (blocks_max * BLOCK_ENTRIES).max(1) as u64);
    let blocks = (entries as usize).div_ceil(BLOCK_ENTRIES);
    let fences_at = BLOCK_BYTES * (1 + blocks);
    let table_at = fences_at + blocks * FENCE_BYTES;
    let filters_at = table_at + blocks.div_ceil(INDEX_CHUNK_BLOCKS) * SHAPE_BYTES;
    let filter_bytes = footer.checked_sub(filters_at)?;

    put(&mut bytes, 24, entries);
    let checksum = xxh3_64(bytes.get(..HEADER_CHECKSUM_AT)?);
    put(&mut bytes, HEADER_CHECKSUM_AT, checksum);
    let (run, first_seq) = (number_at(&bytes, 16), number_at(&bytes, 32));
    for index in 0..blocks {
        let block = bytes.get_mut(BLOCK_BYTES * (1 + index)..)?.first_chunk_mut()?;
        let count = (number_at(block, 8) as u16 as usize).clamp(1, BLOCK_ENTRIES);
        block::seal(block, count, &BlockPlace { run, index: index as u64, first_seq });
    }
    // Inputs are too short for a second chunk: all filter bytes are of the first.
    let filter = xxh3_64(bytes.get(filters_at..footer)?);
    put(&mut bytes, table_at + 24, filter);
    let index = xxh3_64(bytes.get(fences_at..filters_at)?);
    let fields = [run, entries, checksum, index, filter_bytes as u64];
    fields.iter().enumerate().for_each(|(at, field)| put(&mut bytes, footer + 8 * (at + 1), *field));
    let checksum = xxh3_64(bytes.get(footer..footer + 56)?);
    put(&mut bytes, footer + 56, checksum);
    Some(bytes)
}
