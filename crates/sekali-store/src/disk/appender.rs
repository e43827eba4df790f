//! Files that are written beside the log: segments, runs, copies.

use std::io;
use std::sync::Arc;

use super::DiskFile;
use crate::limits::BACKGROUND_SYNC_BYTES;

/// Writes a new file from its beginning to its end, and syncs it little by little: whatever waits
/// to be written back goes to the disk in front of the log's next sync, and commits wait for it.
#[derive(Debug)]
pub(crate) struct Appender {
    file: Arc<dyn DiskFile>,
    len: u64,
    unsynced: usize,
}

impl Appender {
    /// Begins with the first byte of `file`.
    pub(crate) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self { file, len: 0, unsynced: 0 }
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes behind what is there. Not durable before [`Appender::finish`].
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(BACKGROUND_SYNC_BYTES) {
            self.file.write_all_at(part, self.len)?;
            self.len += part.len() as u64;
            self.unsynced += part.len();
            if self.unsynced >= BACKGROUND_SYNC_BYTES {
                self.file.sync()?;
                self.unsynced = 0;
            }
        }
        Ok(())
    }

    /// Makes the whole file durable, though not its name, and answers it.
    pub(crate) fn finish(self) -> io::Result<Arc<dyn DiskFile>> {
        self.file.sync()?;
        Ok(self.file)
    }
}
