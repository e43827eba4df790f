//! The disk of a store, with the time of each sync of a log: the engine has no clock.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sekali_store::disk::{Disk, DiskFile, UnlinkedFile};

use crate::service::CommitTimings;

/// Files in a directory of this name are those of logs.
const LOG: &str = "log";

/// A disk whose files of logs are timed.
#[derive(Debug)]
pub(super) struct TimedDisk {
    disk: Arc<dyn Disk>,
    timings: CommitTimings,
}

#[derive(Debug)]
struct TimedFile {
    file: Arc<dyn DiskFile>,
    timings: CommitTimings,
}

impl TimedDisk {
    pub(super) fn new(disk: Arc<dyn Disk>, timings: CommitTimings) -> Self {
        Self { disk, timings }
    }

    fn timed(&self, path: &Path, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let is_log = path.parent().is_some_and(|dir| dir.ends_with(LOG));
        if is_log { Arc::new(TimedFile { file, timings: self.timings.clone() }) } else { file }
    }
}

impl Disk for TimedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        self.disk.is_link(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(path).map(|file| self.timed(path, file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(path)
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_for_writing(path).map(|file| self.timed(path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn remove_name(&self, path: &Path) -> io::Result<Option<Box<dyn UnlinkedFile>>> {
        self.disk.remove_name(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        self.disk.lock(path)
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.available_bytes(dir)
    }
}

impl DiskFile for TimedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(buf, offset)
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        self.file.reserve(len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let begun = Instant::now();
        let synced = self.file.sync();
        self.timings.note_sync(begun.elapsed());
        synced
    }
}
