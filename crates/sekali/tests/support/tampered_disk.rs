//! The real disk, with a hand in some of its calls.

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use sekali_store::disk::{Disk, DiskFile, RealDisk};

/// What is done to calls. What is not said is done as the real disk does it.
pub(crate) trait Tamper: Debug + Send + Sync + 'static {
    /// Called before something is read.
    fn before_read(&self) -> io::Result<()> {
        Ok(())
    }

    /// Syncs a file, or not.
    fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        file.sync()
    }

    /// Syncs a directory, or not.
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    /// Says how much space there is.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.available_bytes(dir)
    }
}

/// The real disk, tampered with.
#[derive(Debug, Default)]
pub(crate) struct TamperedDisk<T>(Arc<T>);

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
