//! An immutable, sorted file of index entries, with its filters in memory.
//!
//! | bytes | what |
//! |---|---|
//! | 0 .. 4096 | header (`run/header.rs`) |
//! | 4096 (1 + i) .. | block `i` ([`super::block`]) |
//! | after the blocks | fences: upper 64 bits of the first fingerprint of each block |
//! | then | filter table: 32 bytes for each chunk of 1,024 blocks (`run/guide.rs`) |
//! | then | filters, chunk after chunk |
//! | last 64 bytes | footer (`run/footer.rs`) |
//!
//! Every byte is under a checksum: the header's, a block's, a filter's, the footer's, or that over
//! fences and filter table, which the footer holds. The manifest holds the checksum of the footer.
//! Opening reads and verifies everything but the blocks; a block is verified each time it is read.

mod check;
mod footer;
mod guide;
mod header;
mod layout;
mod lookup;
mod salvage;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::BLOCK_BYTES;
use crate::disk::{Disk, DiskFile, unreadable};
use crate::error::{Error, IoContext as _, Result};
use crate::manifest::RunInfo;
use footer::{FOOTER_BYTES, RunFooter};
use guide::RunGuide;
use header::RunHeader;
use layout::blocks;

pub(crate) use layout::{file_name, number_of};
pub(crate) use lookup::{LookupCost, sorted_keys};
pub(crate) use salvage::visit_sound;
pub(crate) use stream::RunStream;
pub(crate) use writer::RunWriter;

/// An open run.
#[derive(Debug)]
pub(crate) struct Run {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    info: RunInfo,
    disk_bytes: u64,
    guide: RunGuide,
}

impl Run {
    /// Opens a run that the manifest names.
    ///
    /// # Errors
    /// [`Error::Damaged`] where the file is not the one that was written, [`Error::NewerFormat`],
    /// and I/O errors, including `NotFound`.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, info: &RunInfo) -> Result<Self> {
        let path = dir.join(file_name(info.number));
        let file = unreadable::open(disk, &path)?;
        let disk_bytes = file.len().at("read the length of", &path)?;
        let damaged = |what: String| Error::Damaged { path: path.clone(), what };
        if disk_bytes < BLOCK_BYTES as u64 + FOOTER_BYTES as u64 {
            return Err(damaged(format!("it is only {disk_bytes} bytes long")));
        }
        let mut header = [0; BLOCK_BYTES];
        unreadable::read_at(&*file, &path, &mut header, 0)?;
        let header = RunHeader::decode(&header, &path)?;
        let mut footer = [0; FOOTER_BYTES];
        unreadable::read_at(&*file, &path, &mut footer, disk_bytes - FOOTER_BYTES as u64)?;
        let footer = RunFooter::decode(&footer).map_err(damaged)?;
        header.agrees_with(info).and_then(|()| footer.agrees_with(info, &header)).map_err(damaged)?;
        let end = footer.end().ok_or_else(|| damaged("its footer has impossible lengths".to_owned()))?;
        if end != disk_bytes {
            return Err(damaged(format!("it is {disk_bytes} bytes long and should be {end}")));
        }
        let guide = RunGuide::read(&*file, &path, &footer)?;
        Ok(Self { file, path, info: *info, disk_bytes, guide })
    }

    /// Its entry in the manifest.
    pub(crate) fn info(&self) -> &RunInfo {
        &self.info
    }

    /// Length of the file.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    /// Memory of filters and fences, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.guide.memory_bytes()
    }

    /// Bytes of the blocks of `entries` entries.
    pub(crate) fn block_bytes(entries: u64) -> u64 {
        blocks(entries) * BLOCK_BYTES as u64
    }

    fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.clone(), what }
    }
}
