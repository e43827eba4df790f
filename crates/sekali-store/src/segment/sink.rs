//! Where the bytes of a new segment go.

use std::io::{self, Write};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::disk::{Appender, DiskFile};
use crate::limits::SEGMENT_CHECK_BYTES;
use crate::salt::Salt;

/// Bytes that go to the disk in one call.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Writes a file from its beginning to its end, and checksums what passes by.
#[derive(Debug)]
pub(super) struct ChecksumSink {
    file: Appender,
    buffer: Vec<u8>,
    holding: bool,
    blocks: BlockChecksums,
}

impl ChecksumSink {
    pub(super) fn new(file: Arc<dyn DiskFile>, salt: Salt) -> Self {
        Self { file: Appender::new(file), buffer: Vec::new(), holding: false, blocks: BlockChecksums::new(salt) }
    }

    /// Begins a series of blocks with the next byte.
    pub(super) fn begin_blocks(&mut self) {
        self.blocks = BlockChecksums::new(self.blocks.salt);
    }

    /// The checksums of the blocks written since [`ChecksumSink::begin_blocks`]; the last may be
    /// short.
    pub(super) fn finish_blocks(&mut self) -> Vec<u64> {
        self.blocks.finish()
    }

    /// From now on bytes are held back for [`ChecksumSink::take_held`].
    pub(super) fn hold(&mut self) -> io::Result<()> {
        self.drain()?;
        self.holding = true;
        Ok(())
    }

    /// Takes the bytes that were held back. They are not written any more.
    pub(super) fn take_held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Writes `last` and makes the whole file durable. Answers its length.
    pub(super) fn finish(mut self, last: &[u8]) -> io::Result<u64> {
        self.buffer.extend_from_slice(last);
        self.drain()?;
        let len = self.file.len();
        self.file.finish()?;
        Ok(len)
    }

    fn drain(&mut self) -> io::Result<()> {
        self.file.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for ChecksumSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blocks.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES && !self.holding {
            self.drain()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checksums of blocks of a stream.
#[derive(Debug)]
struct BlockChecksums {
    salt: Salt,
    current: Vec<u8>,
    finished: Vec<u64>,
}

impl BlockChecksums {
    fn new(salt: Salt) -> Self {
        Self { salt, current: Vec::new(), finished: Vec::new() }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (head, tail) = bytes.split_at(bytes.len().min(SEGMENT_CHECK_BYTES - self.current.len()));
            bytes = tail;
            if head.len() == SEGMENT_CHECK_BYTES {
                self.finished.push(xxh3_64_with_seed(head, self.salt.0));
                continue;
            }
            self.current.extend_from_slice(head);
            if self.current.len() == SEGMENT_CHECK_BYTES {
                self.end_block();
            }
        }
    }

    fn end_block(&mut self) {
        self.finished.push(xxh3_64_with_seed(&self.current, self.salt.0));
        self.current.clear();
    }

    fn finish(&mut self) -> Vec<u64> {
        if !self.current.is_empty() {
            self.end_block();
        }
        std::mem::take(&mut self.finished)
    }
}
