//! An immutable, sorted file of index entries, with its filters in memory.
//!
//! | bytes | what |
//! |---|---|
//! | 0 .. 4096 | header (`run/header.rs`) |
//! | 4096 (1 + i) .. | block `i` ([`super::block`]) |
//! | after the blocks | fences: upper 64 bits of the first fingerprint of each block |
//! | then | filter table: 32 bytes for each chunk of 1,024 blocks (`run/index.rs`) |
//! | then | filters, chunk after chunk |
//! | last 64 bytes | footer (`run/footer.rs`) |
//!
//! Every byte is under a checksum: the header's, a block's, a filter's, the footer's, or that over fences and filter
//! table, which the footer holds. The manifest holds the checksum of the footer. At open everything but the blocks is
//! read and verified; a block is verified each time it is read.

mod check;
mod footer;
mod header;
mod index;
mod look_up;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{BLOCK_BYTES, BLOCK_ENTRIES};
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext as _, Result};
use crate::manifest::RunInfo;
use footer::{FOOTER_BYTES, Footer};
use header::Header;
use index::RunIndex;

pub use super::order::Key;
pub use look_up::{Reads, sorted_keys};
pub use stream::RunStream;
pub use writer::RunWriter;

/// An open run.
#[derive(Debug)]
pub struct Run {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    info: RunInfo,
    disk_bytes: u64,
    index: RunIndex,
}

impl Run {
    /// Opens a run that the manifest names.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file is not the one that was written, [`Error::NewerFormat`], and I/O errors,
    /// `NotFound` among them.
    pub fn open(disk: &dyn Disk, dir: &Path, info: &RunInfo) -> Result<Self> {
        let path = dir.join(file_name(info.number));
        let file = disk.open(&path).at("open", &path)?;
        let disk_bytes = file.len().at("read the length of", &path)?;
        let damaged = |what: String| Error::Damaged { path: path.clone(), what };
        if disk_bytes < BLOCK_BYTES as u64 + FOOTER_BYTES as u64 {
            return Err(damaged(format!("it is only {disk_bytes} bytes long")));
        }
        let mut header = [0; BLOCK_BYTES];
        file.read_exact_at(&mut header, 0).at("read", &path)?;
        let header = Header::decode(&header, &path)?;
        let mut footer = [0; FOOTER_BYTES];
        file.read_exact_at(&mut footer, disk_bytes - FOOTER_BYTES as u64).at("read", &path)?;
        let footer = Footer::decode(&footer).map_err(damaged)?;
        header.agrees_with(info).and_then(|()| footer.agrees_with(info, &header)).map_err(damaged)?;
        let end = footer.end().ok_or_else(|| damaged("its footer has impossible lengths".to_owned()))?;
        if end != disk_bytes {
            return Err(damaged(format!("it is {disk_bytes} bytes long and should be {end}")));
        }
        let index = RunIndex::read(&*file, &path, &footer)?;
        Ok(Self { file, path, info: *info, disk_bytes, index })
    }

    /// What the manifest says of it.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// Length of the file.
    pub fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    /// Memory taken by filters and fences.
    pub fn memory_bytes(&self) -> u64 {
        self.index.memory_bytes()
    }

    /// Bytes of the blocks that hold so many entries.
    pub fn block_bytes(entries: u64) -> u64 {
        blocks(entries) * BLOCK_BYTES as u64
    }

    fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.clone(), what }
    }
}

/// The file of a run.
pub fn file_name(number: u64) -> String {
    format!("{number:06}{SUFFIX}")
}

/// The number of the run that a file name belongs to.
pub fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

const SUFFIX: &str = ".run";

/// Blocks it takes to hold so many entries.
fn blocks(entries: u64) -> u64 {
    entries.div_ceil(BLOCK_ENTRIES as u64)
}

/// Where block `index` begins in the file.
fn block_offset(index: u64) -> u64 {
    (index + 1) * BLOCK_BYTES as u64
}
