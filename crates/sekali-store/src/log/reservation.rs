//! Space that is taken before it is needed, so that a full disk refuses a commit and never breaks
//! the log.
//!
//! The file that is written to owns its next few MiB, so a frame that fits cannot fail for want of
//! space, however quickly somebody else fills the disk. The **spare**, a file without a use, owns
//! as much as that file is long. A start rewrites the last file into it and gives it that file's
//! name: it needs no free space, and nobody can take what it needs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dir::LogDir;
use super::file::LogFile;
use super::header;
use crate::disk::DiskFile;
use crate::error::{Error, IoContext, Result, is_full};
use crate::invariant::invariant;
use crate::limits::LOG_AHEAD_BYTES;

/// Name of the spare in the directory of the log.
pub(crate) const SPARE: &str = "SPARE";

/// The space that is allocated, in bytes from the beginning of each file.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    /// Of the file that is written to.
    active: u64,
    spare: u64,
}

impl Reservation {
    /// The reservation in a file that was just created, beside the spare there is.
    pub(crate) fn in_new_file(&mut self, log: &LogDir) {
        self.active = log.ahead_of(header::BYTES as u64);
    }

    /// Sees to it that `active` can become `end` bytes long, and can be rewritten then.
    ///
    /// # Errors
    /// [`Error::StorageFull`], and I/O errors. Nothing was written.
    pub(crate) fn take(&mut self, log: &LogDir, active: &LogFile, end: u64) -> Result<()> {
        // The spare first: what little there is must not go to a file that may never need it.
        if self.spare < end {
            let (path, file) = log.spare()?;
            self.spare = log.reserve_ahead(&*file, &path, end)?;
        }
        if self.active < end {
            self.active = log.reserve_ahead(&*active.file, &active.path, end)?;
        }
        invariant!(self.active >= end && self.spare >= end, "less space was reserved than was asked for");
        Ok(())
    }
}

impl LogDir {
    /// The spare, made where it is missing. Its contents, if any, are of a start that was
    /// interrupted.
    pub(crate) fn spare(&self) -> Result<(PathBuf, Arc<dyn DiskFile>)> {
        let path = self.dir.join(SPARE);
        let opened = if self.disk.exists(&path).at("look for", &path)? {
            self.disk.open_for_writing(&path)
        } else {
            self.disk.create(&path)
        };
        let file = self.unless_full(opened, 1)?.at("open", &path)?;
        Ok((path, file))
    }

    /// Lets `file` own its first `end` bytes, and some more if there is space. Answers how many.
    fn reserve_ahead(&self, file: &dyn DiskFile, path: &Path, end: u64) -> Result<u64> {
        let ahead = self.ahead_of(end);
        match self.reserve(file, path, ahead) {
            Err(Error::StorageFull { .. }) => self.reserve(file, path, end).map(|()| end),
            reserved => reserved.map(|()| ahead),
        }
    }

    /// Lets `file` own its first `len` bytes.
    pub(crate) fn reserve(&self, file: &dyn DiskFile, path: &Path, len: u64) -> Result<()> {
        self.unless_full(file.reserve(len), len)?.at("take space for", path)
    }

    /// Passes on an outcome, unless it is that there is no space for `needed` bytes.
    pub(crate) fn unless_full<T>(&self, outcome: io::Result<T>, needed: u64) -> Result<io::Result<T>> {
        match outcome {
            Err(error) if is_full(&error) => {
                let available = self.disk.available_bytes(&self.dir).at("ask for the free space of", &self.dir)?;
                Err(Error::StorageFull { available, needed })
            }
            outcome => Ok(outcome),
        }
    }

    /// Where a file that is to become `end` bytes long gets its space to.
    pub(crate) fn ahead_of(&self, end: u64) -> u64 {
        let step = LOG_AHEAD_BYTES.min(self.file_bytes).max(1);
        (end / step + 1).saturating_mul(step)
    }
}
