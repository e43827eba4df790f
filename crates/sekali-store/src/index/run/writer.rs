//! Writes a run from sorted entries, in a fixed amount of memory besides the fences and filters
//! that stay.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::super::block::{self, BLOCK_BYTES, BLOCK_ENTRIES, BlockBytes, BlockPlace};
use super::super::entry::{Entry, filter_key};
use super::super::filter::Filters;
use super::Run;
use super::footer::RunFooter;
use super::guide::RunGuide;
use super::header::RunHeader;
use super::layout::{block_offset, blocks, file_name};
use crate::disk::{self, Appender, Disk, Unfinished};
use crate::error::{Error, IoContext as _, Result};
use crate::invariant::invariant;
use crate::limits::{INDEX_BUFFER_BYTES, INDEX_CHUNK_BLOCKS};
use crate::manifest::RunInfo;

/// A run being written, under a temporary name.
#[derive(Debug)]
pub(crate) struct RunWriter {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    file: Appender,
    /// Removes the file unless it is renamed.
    unfinished: Unfinished,
    info: RunInfo,
    filter_bits: u32,
    block: Box<BlockBytes>,
    /// Entries in `block`.
    in_block: usize,
    /// Blocks sealed so far.
    sealed: u64,
    pushed: u64,
    last: Option<Entry>,
    buffer: Vec<u8>,
    fences: Vec<u64>,
    chunk_keys: Vec<u64>,
    filters: Filters,
}

impl RunWriter {
    /// Begins the run that `info` describes (its checksum is ignored) in `dir`, with filters of
    /// `filter_bits` bits ([`FILTER_BITS`](super::super::filter::FILTER_BITS)).
    ///
    /// # Errors
    /// [`Error::Invalid`] where the seqs are too far apart, and I/O errors.
    pub(crate) fn create(disk: &Arc<dyn Disk>, dir: &Path, info: RunInfo, filter_bits: u32) -> Result<Self> {
        if info.last_seq.checked_sub(info.first_seq).is_none_or(|span| span > block::SEQ_SPAN_MAX) {
            return Err(Error::Invalid(format!("seqs {} to {} do not fit one run", info.first_seq, info.last_seq)));
        }
        let temp = disk::temp_path(&dir.join(file_name(info.number)));
        let file = disk::create_afresh(&**disk, &temp).at("create", &temp)?;
        let blocks = blocks(info.entries) as usize;
        let mut buffer = Vec::with_capacity(INDEX_BUFFER_BYTES);
        buffer.extend_from_slice(&RunHeader { checksum: 0, ..header(&info) }.encode());
        Ok(Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            file: Appender::new(file),
            unfinished: Unfinished::new(disk, temp),
            info,
            filter_bits,
            block: Box::new([0; BLOCK_BYTES]),
            in_block: 0,
            sealed: 0,
            pushed: 0,
            last: None,
            buffer,
            fences: Vec::with_capacity(blocks),
            chunk_keys: Vec::with_capacity(INDEX_CHUNK_BLOCKS.min(blocks) * BLOCK_ENTRIES),
            filters: Filters::with_capacity(blocks.div_ceil(INDEX_CHUNK_BLOCKS), info.entries as usize, filter_bits),
        })
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// [`Error::Broken`] where it is not greater than the entry before or does not belong in this
    /// run, and I/O errors.
    pub(crate) fn push(&mut self, entry: &Entry) -> Result<()> {
        let in_range = (self.info.first_seq..=self.info.last_seq).contains(&entry.seq);
        invariant!(in_range, "an entry does not belong in its run");
        invariant!(self.last.as_ref().is_none_or(|last| last < entry), "the entries of a run are out of order");
        let key = filter_key(entry.fingerprint);
        if self.in_block == 0 {
            self.fences.push(key);
        }
        if self.chunk_keys.last() != Some(&key) {
            self.chunk_keys.push(key);
        }
        block::put(&mut self.block, self.in_block, entry, self.info.first_seq)?;
        self.in_block += 1;
        self.pushed += 1;
        self.last = Some(*entry);
        if self.in_block == BLOCK_ENTRIES { self.seal_block() } else { Ok(()) }
    }

    /// Completes the run and returns it open. It is durable under its name.
    ///
    /// # Errors
    /// [`Error::Broken`] where the number of entries is not the one announced, and I/O errors.
    pub(crate) fn finish(mut self) -> Result<Run> {
        invariant!(self.pushed > 0 && self.pushed == self.info.entries, "a run has not as many entries as announced");
        if self.in_block > 0 {
            self.seal_block()?;
        }
        self.end_chunk();
        let filters = std::mem::take(&mut self.filters);
        let guide = RunGuide::new(std::mem::take(&mut self.fences), filters);
        self.write_guide(&guide)?;
        let (temp, path) = (self.temp_path(), self.dir.join(file_name(self.info.number)));
        let disk_bytes = self.file.len();
        let file = self.file.finish().at("sync", &temp)?;
        self.disk.rename(&temp, &path).at("rename", &temp)?;
        self.unfinished.keep();
        self.disk.sync_dir(&self.dir).at("sync", &self.dir)?;
        Ok(Run { file, path, info: self.info, disk_bytes, guide })
    }

    fn seal_block(&mut self) -> Result<()> {
        let place = BlockPlace { run: self.info.number, index: self.sealed, first_seq: self.info.first_seq };
        block::seal(&mut self.block, self.in_block, &place);
        self.in_block = 0;
        self.sealed += 1;
        if self.sealed.is_multiple_of(INDEX_CHUNK_BLOCKS as u64) {
            self.end_chunk();
        }
        self.buffer.extend_from_slice(&*self.block);
        if self.buffer.len() >= INDEX_BUFFER_BYTES { self.write_buffer() } else { Ok(()) }
    }

    /// Builds the filter of the blocks since the last one.
    fn end_chunk(&mut self) {
        if !self.chunk_keys.is_empty() {
            self.filters.build(&self.chunk_keys, self.filter_bits);
            self.chunk_keys.clear();
        }
    }

    fn write_guide(&mut self, guide: &RunGuide) -> Result<()> {
        let end = self.file.len() + self.buffer.len() as u64;
        invariant!(end == block_offset(self.sealed), "the blocks of a run do not fill its file");
        let encoded = guide.encode();
        let footer = RunFooter {
            number: self.info.number,
            entries: self.info.entries,
            header_checksum: header_checksum(&self.info),
            index_checksum: xxh3_64(&encoded),
            filter_bytes: guide.filters.len_bytes() as u64,
        };
        self.write(&encoded)?;
        for (_, values) in guide.filters.iter() {
            self.write(values)?;
        }
        let (bytes, checksum) = footer.encode();
        self.write(&bytes)?;
        self.write_buffer()?;
        self.info.checksum = checksum;
        invariant!(Some(self.file.len()) == footer.end(), "the footer of a run does not end its file");
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(INDEX_BUFFER_BYTES));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= INDEX_BUFFER_BYTES {
                self.write_buffer()?;
            }
        }
        Ok(())
    }

    fn write_buffer(&mut self) -> Result<()> {
        self.file.append(&self.buffer).at("write", &self.temp_path())?;
        self.buffer.clear();
        Ok(())
    }

    fn temp_path(&self) -> PathBuf {
        disk::temp_path(&self.dir.join(file_name(self.info.number)))
    }
}

fn header(info: &RunInfo) -> RunHeader {
    RunHeader {
        number: info.number,
        entries: info.entries,
        first_seq: info.first_seq,
        last_seq: info.last_seq,
        checksum: 0,
    }
}

fn header_checksum(info: &RunInfo) -> u64 {
    let bytes = header(info).encode();
    super::header::number_at(&bytes, BLOCK_BYTES - 8)
}
