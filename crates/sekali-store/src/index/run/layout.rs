//! Where the parts of a run lie in its file, and the name of the file.

use super::super::block::{BLOCK_BYTES, BLOCK_ENTRIES};

/// Bytes of a fence.
pub(super) const FENCE_BYTES: usize = 8;
/// Bytes of an entry of the filter table.
pub(super) const SHAPE_BYTES: usize = 32;

const SUFFIX: &str = ".run";

/// Name of the file of a run.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:06}{SUFFIX}")
}

/// Number of the run that has a file of this name.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// Blocks that hold `entries` entries.
pub(super) fn blocks(entries: u64) -> u64 {
    entries.div_ceil(BLOCK_ENTRIES as u64)
}

/// Where block `index` begins in the file.
pub(super) fn block_offset(index: u64) -> u64 {
    (index + 1) * BLOCK_BYTES as u64
}
