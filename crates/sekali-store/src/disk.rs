//! All file access of the engine, behind two small traits.
//!
//! The real implementation is [`RealDisk`]. The traits exist so that one faulty one,
//! [`memory::MemoryDisk`], can give crashes, torn writes, full disks and I/O errors to every test.

mod appender;
pub(crate) mod frozen;
#[doc(hidden)]
pub mod memory;
mod real;
pub(crate) mod remover;
pub(crate) mod unreadable;

use std::any::Any;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, IoContext, Result};

pub(crate) use appender::Appender;
pub use real::RealDisk;

/// A file system.
pub trait Disk: Debug + Send + Sync {
    /// Creates `dir`, whose parent exists, readable by the owner alone. No error where it exists.
    /// Durable only after [`Disk::sync_dir`] of its parent.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Creates `dir` and its parents, and makes the entries of those that were made durable. No
    /// error where it exists.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if self.exists(dir)? {
            // An error where it is a file.
            return self.create_dir(dir);
        }
        let parent = parent_of(dir);
        if parent != dir {
            self.create_dir_all(parent)?;
        }
        self.create_dir(dir)?;
        self.sync_dir(parent)
    }
    /// Names of the files, and of all else that is no directory, in `dir`, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Whether there is a symbolic link at `path`, wherever it leads.
    fn is_link(&self, _path: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Whether there is anything at `path`, a symbolic link that leads nowhere included.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Makes a new file for reading and writing, readable by the owner alone.
    ///
    /// # Errors
    /// `AlreadyExists` where there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file for reading and writing.
    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames a file, replacing `to`. Durable only after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives the file at `from` a second name, `to`, on the same file system. Durable only after
    /// [`Disk::sync_dir`].
    ///
    /// # Errors
    /// Any, where the file systems differ or know no links: copy the file then.
    fn link(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a file, and answers what gives its space back piece by piece, where that can be
    /// done.
    fn remove_name(&self, path: &Path) -> io::Result<Option<Box<dyn UnlinkedFile>>> {
        self.remove(path).map(|()| None)
    }
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes an exclusive lock on the file at `path`, made where missing; held until the answer is
    /// dropped.
    ///
    /// # Errors
    /// `WouldBlock` where another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
    /// Bytes that an unprivileged process may still write to the file system of `dir`.
    fn available_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// The bytes of a file that has no name any more. Dropping it gives all of its space back, as soon
/// as nobody has it open.
pub trait UnlinkedFile: Debug + Send {
    /// Gives back the space of the last `bytes`. Answers how many bytes are left.
    ///
    /// # Errors
    /// `WouldBlock` while anybody else has the file open, in this process or another; any other
    /// where it must stay as it is.
    fn give_back(&mut self, bytes: u64) -> io::Result<u64>;
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
    /// Writes all of `buf` at `offset`, growing the file as needed. Durable only after
    /// [`DiskFile::sync`].
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Takes space for the first `len` bytes, so that writing them cannot fail for want of it. The
    /// length of the file stays as it is. No error, and no effect, where the file system knows no
    /// such thing.
    fn reserve(&self, len: u64) -> io::Result<()>;
    /// Makes the file `len` bytes long, cutting it or filling it up with zeros. Space beyond that
    /// is given back.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes everything written so far durable (`fdatasync`). After an error nothing may be assumed
    /// of the writes since the last success, and a second call that succeeds proves nothing.
    fn sync(&self) -> io::Result<()>;
}

/// Refuses the partition in `dir` where it, or a directory in it, is a symbolic link: another user
/// may have put it there, and files would be made, renamed and removed where it leads.
///
/// # Errors
/// [`Error::Io`], naming the link, and I/O errors.
pub(crate) fn refuse_links(disk: &dyn Disk, dir: &Path) -> Result<()> {
    for name in ["", "log", "torn", "ids", "segments", "quarantine"] {
        let path = if name.is_empty() { dir.to_owned() } else { dir.join(name) };
        if disk.is_link(&path).at("look at", &path)? {
            let what = "it is a symbolic link, and links in place of the directories of a store are not followed; put the \
                        directory itself in its place, or mount a file system there";
            return Err(io::Error::other(what)).at("open", &path);
        }
    }
    Ok(())
}

/// Reads a whole file.
pub fn read_all(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Replaces the file at `path` so that after a crash there is the old one or the new one, whole: a
/// temporary file is written and synced ([`stage`]), renamed over `path`, and the directory synced
/// ([`unstage`]).
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    stage(disk, path, bytes)?;
    unstage(disk, path)
}

/// The first half of [`replace`]. After an error the file at `path` is what it was, and nothing is
/// left of the new one as far as the disk allows.
pub(crate) fn stage(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = temp_path(path);
    let file = create_afresh(disk, &temp)?;
    let written = file.write_all_at(bytes, 0).and_then(|()| file.sync());
    // What is left behind would take space, of which there may be too little already.
    written.inspect_err(|_| drop(disk.remove(&temp)))
}

/// The second half of [`replace`]. After an error nobody knows which of the two files a crash would
/// leave.
pub(crate) fn unstage(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk.rename(&temp_path(path), path)?;
    disk.sync_dir(parent_of(path))
}

/// The directory that `path` is in.
pub(crate) fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a file is written before it is renamed to `path`. Such files are leftovers of a crash
/// wherever a start finds them.
pub(crate) fn temp_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(TEMP_SUFFIX);
    name.into()
}

/// The ending of a file that is not finished.
pub(crate) const TEMP_SUFFIX: &str = ".tmp";

/// Asks for free space before something is begun that takes it.
///
/// # Errors
/// [`Error::StorageFull`] where fewer than `needed` bytes are free, and I/O errors.
pub(crate) fn check_space(disk: &dyn Disk, dir: &Path, needed: u64) -> Result<()> {
    let available = disk.available_bytes(dir).at("ask for the free space of", dir)?;
    if available < needed { Err(Error::StorageFull { available, needed }) } else { Ok(()) }
}

/// Creates a file, removing what a crash may have left in its place. For temporary files only.
pub fn create_afresh(disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
    if disk.exists(path)? {
        disk.remove(path)?;
    }
    disk.create(path)
}

/// Removes a temporary file when it is dropped, so that what could not be finished takes no space.
#[derive(Debug)]
pub(crate) struct Unfinished {
    disk: Arc<dyn Disk>,
    temp: Option<PathBuf>,
}

impl Unfinished {
    pub(crate) fn new(disk: &Arc<dyn Disk>, temp: PathBuf) -> Self {
        Self { disk: Arc::clone(disk), temp: Some(temp) }
    }

    /// Lets the file stay.
    pub(crate) fn keep(&mut self) {
        self.temp = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(temp) = self.temp.take() {
            // If this fails, the next start removes it.
            let _ = self.disk.remove(&temp);
        }
    }
}
