//! All file access of the engine, behind two small traits.
//!
//! The real implementation is [`RealDisk`]. The traits exist so that one faulty one, [`memory::MemoryDisk`], can give crashes, torn
//! writes, full disks and I/O errors to every test.

pub mod memory;
mod real;

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use real::RealDisk;

/// A file system.
pub trait Disk: Debug + Send + Sync {
    /// Creates `dir` and its parents, readable by the owner alone. No error where it exists.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Names of the files (not the directories) in `dir`, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Whether there is a file at `path`.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Makes a new file for reading and writing, readable by the owner alone.
    ///
    /// # Errors
    /// `AlreadyExists` where there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames a file, replacing `to`. Durable only after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives the file at `from` a second name, `to`, on the same file system. Durable only after [`Disk::sync_dir`].
    ///
    /// # Errors
    /// Any, where the file systems differ or know no links: copy the file then.
    fn link(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on the file at `path`, made where missing; held until the answer is dropped.
    ///
    /// # Errors
    /// `WouldBlock` where another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
    /// Bytes that an unprivileged process may still write to the file system of `dir`.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// An open file. Reads and writes name their position, so one handle serves many threads.
pub trait DiskFile: Debug + Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` where the file ends first.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buf` at `offset`, growing the file as needed. Durable only after [`DiskFile::sync`].
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Makes everything written so far durable (`fdatasync`). After an error nothing may be assumed of the writes
    /// since the last success, and a second call that succeeds proves nothing.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a whole file.
pub fn read_all(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Replaces the file at `path` so that after a crash there is the old one or the new one, whole: a temporary file is
/// written and synced, renamed over `path`, and the directory synced.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = temp_path(path);
    let file = create_afresh(disk, &temp)?;
    file.write_all_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&temp, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Where a file is written before it is renamed to `path`. Such files are leftovers of a crash wherever a start finds them.
pub fn temp_path(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMP_SUFFIX);
    name.into()
}

/// The ending of a file that is not finished.
pub const TEMP_SUFFIX: &str = ".tmp";

/// Creates a file, removing what a crash may have left in its place. For temporary files only.
pub fn create_afresh(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
    if disk.exists(path)? {
        disk.remove(path)?;
    }
    disk.create(path)
}
