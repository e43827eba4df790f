//! Puts the copy of a partition together.

use std::path::Path;

use super::Copied;
use super::pin::{DIRS, LOG, Pinned, PinnedFile};
use crate::disk::{self, Appender, Disk, unreadable};
use crate::error::{IoContext, Result};
use crate::limits::BACKUP_COPY_BYTES;
use crate::log::reservation::SPARE;
use crate::manifest;

/// Copies files, and counts them.
pub(super) struct Copier<'a, P> {
    disk: &'a dyn Disk,
    may_link: bool,
    progress: P,
    copied: Copied,
    buffer: Vec<u8>,
}

impl<'a, P: FnMut(&Copied)> Copier<'a, P> {
    pub(super) fn new(disk: &'a dyn Disk, may_link: bool, progress: P) -> Self {
        Self { disk, may_link, progress, copied: Copied::default(), buffer: vec![0; BACKUP_COPY_BYTES] }
    }

    pub(super) fn disk(&self) -> &'a dyn Disk {
        self.disk
    }

    /// Copies a partition into `dir`. It is durable when this returns.
    pub(super) fn partition(&mut self, pinned: Pinned, dir: &Path) -> Result<()> {
        for name in DIRS {
            let made = dir.join(name);
            self.disk.create_dir_all(&made).at("create", &made)?;
        }
        for pinned in &pinned.files {
            self.file(pinned, &dir.join(pinned.place.0).join(&pinned.place.1))?;
            self.copied.files += 1;
            (self.progress)(&self.copied);
        }
        if !pinned.files.iter().any(|file| file.place.0 == LOG) {
            // Otherwise a log whose files are lost would look like one that is away.
            let spare = dir.join(LOG).join(SPARE);
            self.disk.create(&spare).at("create", &spare)?;
        }
        self.copied.missing.extend(pinned.missing);
        for name in DIRS {
            let made = dir.join(name);
            self.disk.sync_dir(&made).at("sync", &made)?;
        }
        match &pinned.manifest {
            Some(bytes) => self.bytes(&dir.join(manifest::FILE_NAME), bytes),
            None => self.disk.sync_dir(dir).at("sync", dir),
        }
    }

    /// Writes the file that makes the copy whole, and answers what was done.
    pub(super) fn last(mut self, path: &Path, bytes: &[u8]) -> Result<Copied> {
        self.bytes(path, bytes)?;
        Ok(self.copied)
    }

    fn bytes(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        disk::replace(self.disk, path, bytes).at("write", path)?;
        self.copied.files += 1;
        self.copied.copied_bytes += bytes.len() as u64;
        Ok(())
    }

    fn file(&mut self, pinned: &PinnedFile, to: &Path) -> Result<()> {
        // A link can fail for many reasons: another file system, one without links, a name that is
        // gone by now.
        if self.may_link && !pinned.is_growing && self.disk.link(&pinned.path, to).is_ok() {
            self.copied.linked_bytes += pinned.len;
            return Ok(());
        }
        let mut file = Appender::new(self.disk.create(to).at("create", to)?);
        while file.len() < pinned.len {
            let part = self.buffer.len().min(usize::try_from(pinned.len - file.len()).unwrap_or(usize::MAX));
            let part = &mut self.buffer[..part];
            // The copy has zeros there, and names what is lost when it is opened.
            let unreadable = unreadable::read_around(&*pinned.file, &pinned.path, part, file.len())?;
            if !unreadable.is_empty() && self.copied.unreadable.last() != Some(&pinned.path) {
                self.copied.unreadable.push(pinned.path.clone());
            }
            file.append(part).at("write", to)?;
            self.copied.copied_bytes += part.len() as u64;
            (self.progress)(&self.copied);
        }
        file.finish().at("sync", to)?;
        Ok(())
    }
}
