//! Free space on the disk of a partition.

use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{self, Disk};
use crate::error::{Error, IoContext as _, Result};
use crate::limits::FREE_BYTES_MIN;

/// Asks the disk of a partition for its free space.
#[derive(Debug)]
pub(super) struct Space {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Space {
    pub(super) fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self { disk, dir }
    }

    /// Free bytes of the disk.
    ///
    /// # Errors
    /// The disk refuses to tell.
    pub(super) fn available(&self) -> Result<u64> {
        self.disk.available_bytes(&self.dir).at("ask for the free space of", &self.dir)
    }

    /// # Errors
    /// [`Error::StorageFull`] where fewer than `needed` bytes are free, and I/O errors.
    pub(super) fn check(&self, needed: u64) -> Result<()> {
        disk::check_space(&*self.disk, &self.dir, needed)
    }

    /// [`Error::StorageFull`] in the place of an error that comes of a full disk; any other error
    /// as it is.
    pub(super) fn classify_error(&self, error: Error) -> Error {
        match self.disk.available_bytes(&self.dir) {
            Ok(available) if error.is_full() => Error::StorageFull { available, needed: FREE_BYTES_MIN },
            _ => error,
        }
    }
}
