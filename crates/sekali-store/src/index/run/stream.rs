//! Reads a run from beginning to end, to merge or verify it.

use std::sync::Arc;

use super::super::block::{BLOCK_BYTES, BlockPlace, RunBlock};
use super::super::entry::Entry;
use super::Run;
use super::layout::{block_offset, blocks};
use crate::disk::unreadable;
use crate::error::Result;
use crate::limits::INDEX_BUFFER_BYTES;

/// The entries of a run in order, read through a buffer of [`INDEX_BUFFER_BYTES`].
#[derive(Debug)]
pub(crate) struct RunStream {
    run: Arc<Run>,
    buffer: Vec<u8>,
    /// Block at the beginning of `buffer`.
    first_block: u64,
    /// The entries of the current block in reverse, so that the next entry is at the end.
    block: Vec<Entry>,
    next_block: u64,
    read: u64,
    last: Option<Entry>,
}

impl RunStream {
    /// A stream before the first entry of `run`.
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self { run, buffer: Vec::new(), first_block: 0, block: Vec::new(), next_block: 0, read: 0, last: None }
    }

    /// The run that is read.
    pub(crate) fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// The next entry, `None` after the last.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) where a block is, or where entries are out of
    /// order or too few, and I/O errors.
    #[inline]
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>> {
        if self.block.is_empty() && !self.load_block()? {
            return Ok(None);
        }
        Ok(self.block.pop())
    }

    /// Decodes the next block. Returns `false` behind the last one.
    fn load_block(&mut self) -> Result<bool> {
        let count = blocks(self.run.info.entries);
        if self.next_block == count {
            return if self.read == self.run.info.entries {
                Ok(false)
            } else {
                Err(self.damaged("it has too few entries"))
            };
        }
        let mut at = (self.next_block - self.first_block) as usize * BLOCK_BYTES;
        if at >= self.buffer.len() {
            self.fill(count)?;
            at = 0;
        }
        let place =
            BlockPlace { run: self.run.info.number, index: self.next_block, first_seq: self.run.info.first_seq };
        let bytes = self.buffer.get(at..).and_then(|bytes| bytes.first_chunk());
        let opened = bytes.ok_or("it is missing").and_then(|bytes| RunBlock::open(bytes, &place));
        let block = opened.map_err(|what| self.run.damaged(format!("block {}: {what}", self.next_block)))?;
        self.block.extend(block.entries());
        self.next_block += 1;
        self.read += self.block.len() as u64;
        let in_order = self.block.is_sorted_by(|a, b| a < b) && self.block.first() > self.last.as_ref();
        self.last = self.block.last().copied();
        self.block.reverse();
        if in_order { Ok(true) } else { Err(self.damaged("its entries are out of order")) }
    }

    /// Reads the next part of the file.
    fn fill(&mut self, count: u64) -> Result<()> {
        let blocks = (count - self.next_block).min((INDEX_BUFFER_BYTES / BLOCK_BYTES) as u64);
        self.first_block = self.next_block;
        self.buffer.resize(blocks as usize * BLOCK_BYTES, 0);
        unreadable::read_at(&*self.run.file, &self.run.path, &mut self.buffer, block_offset(self.first_block))
    }

    fn damaged(&self, what: &str) -> crate::Error {
        self.run.damaged(format!("near block {}: {what}", self.next_block))
    }
}
