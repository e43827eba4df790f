//! Checks that the file of a run is as it was written.

use super::super::block::{BLOCK_BYTES, BlockPlace, RunBlock};
use super::Run;
use super::footer::{FOOTER_BYTES, RunFooter};
use super::header::RunHeader;
use super::layout::{block_offset, blocks};
use crate::disk::unreadable;
use crate::error::{IoContext as _, Result};
use crate::limits::INDEX_BUFFER_BYTES;

/// Blocks read at a time.
const STEP: u64 = (INDEX_BUFFER_BYTES / BLOCK_BYTES) as u64;

impl Run {
    /// Checks some blocks, from block `first` on; behind the last block, everything else. Returns
    /// the block to go on with, `None` once all is checked, and the number of bytes read.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged), and I/O errors.
    pub(crate) fn check(&self, first: u64) -> Result<(Option<u64>, u64)> {
        let count = blocks(self.info.entries);
        if first >= count {
            return Ok((None, self.check_ends()?));
        }
        let end = count.min(first + STEP);
        let mut bytes = vec![0; (end - first) as usize * BLOCK_BYTES];
        unreadable::read_at(&*self.file, &self.path, &mut bytes, block_offset(first))?;
        for (block, index) in bytes.as_chunks().0.iter().zip(first..) {
            let place = BlockPlace { run: self.info.number, index, first_seq: self.info.first_seq };
            RunBlock::open(block, &place).map_err(|what| self.damaged(format!("block {index}: {what}")))?;
        }
        Ok((Some(end), bytes.len() as u64))
    }

    /// Checks header and footer, and compares fences and filters with those in memory.
    fn check_ends(&self) -> Result<u64> {
        let mut header = [0; BLOCK_BYTES];
        unreadable::read_at(&*self.file, &self.path, &mut header, 0)?;
        let header = RunHeader::decode(&header, &self.path)?;
        let footer_at = self.disk_bytes - FOOTER_BYTES as u64;
        let mut footer = [0; FOOTER_BYTES];
        unreadable::read_at(&*self.file, &self.path, &mut footer, footer_at)?;
        let footer = RunFooter::decode(&footer).map_err(|what| self.damaged(what))?;
        let agree = header.agrees_with(&self.info).and_then(|()| footer.agrees_with(&self.info, &header));
        agree.map_err(|what| self.damaged(what))?;
        let mut at = block_offset(blocks(self.info.entries));
        let filters = self.guide.filters.iter().map(|(_, values)| values);
        for expected in std::iter::once(&*self.guide.encode()).chain(filters) {
            self.check_bytes(at, expected)?;
            at += expected.len() as u64;
        }
        let length = self.file.len().at("read the length of", &self.path)?;
        if (at, length) != (footer_at, self.disk_bytes) {
            return Err(self.damaged(format!("it is {length} bytes long and should be {}", self.disk_bytes)));
        }
        Ok(self.disk_bytes - blocks(self.info.entries) * BLOCK_BYTES as u64)
    }

    fn check_bytes(&self, mut at: u64, expected: &[u8]) -> Result<()> {
        let mut buffer = vec![0; INDEX_BUFFER_BYTES.min(expected.len())];
        for expected in expected.chunks(INDEX_BUFFER_BYTES) {
            let found = &mut buffer[..expected.len()];
            unreadable::read_at(&*self.file, &self.path, found, at)?;
            if found != expected {
                return Err(self.damaged(format!("its fences or filters near byte {at} are not as they were written")));
            }
            at += expected.len() as u64;
        }
        Ok(())
    }
}
