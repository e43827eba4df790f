//! The real disk, with faults injected into single calls.

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use sekali_store::disk::{Disk, DiskFile, RealDisk};

/// Replacements for calls of the real disk. Each defaults to the real call.
pub trait Tamper: Debug + Send + Sync + 'static {
    /// Runs before each read. An error makes the read fail.
    ///
    /// # Errors
    ///
    /// The error that the read is to fail with.
    fn before_read(&self) -> io::Result<()> {
        Ok(())
    }

    /// Replaces the sync of a file.
    ///
    /// # Errors
    ///
    /// The error of the disk, or an injected one.
    fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        file.sync()
    }

    /// Replaces the sync of a directory.
    ///
    /// # Errors
    ///
    /// The error of the disk, or an injected one.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    /// Replaces the query for free space, in bytes.
    ///
    /// # Errors
    ///
    /// The error of the disk, or an injected one.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.available_bytes(dir)
    }
}

/// The real disk with calls replaced by `T`. Dereferences to `T`.
#[derive(Debug, Default)]
pub struct TamperedDisk<T>(Arc<T>);

#[derive(Debug)]
struct TamperedFile<T> {
    file: Arc<dyn DiskFile>,
    tamper: Arc<T>,
}

impl<T> Deref for TamperedDisk<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Tamper> TamperedDisk<T> {
    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(TamperedFile { file, tamper: Arc::clone(&self.0) })
    }
}

impl<T: Tamper> Disk for TamperedDisk<T> {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.create(path).map(|file| self.wrap(file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open(path).map(|file| self.wrap(file))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open_for_writing(path).map(|file| self.wrap(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.0.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        RealDisk.lock(path)
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.0.available_bytes(dir)
    }
}

impl<T: Tamper> DiskFile for TamperedFile<T> {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.tamper.before_read().and_then(|()| self.file.read_exact_at(buf, offset))
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
        self.tamper.sync(&*self.file)
    }
}
