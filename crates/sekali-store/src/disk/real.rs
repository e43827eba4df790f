//! The operating system's files.

use std::any::Any;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Disk, DiskFile, UnlinkedFile};

/// The operating system's file system. Only regular files are opened, and no symbolic link in place
/// of one is followed: others may own the directory. Directories may be links, unless the store
/// asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(DIR_MODE).create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            created => created,
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // Names that are not UTF-8 are not ours. Links and the like are listed too: opening
            // them says what they are, while a file that is not listed would count as lost.
            if !entry.file_type()?.is_dir()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => Ok(found?.is_symlink()),
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => found.map(|_| true),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        in_use(open_regular(OpenOptions::new().read(true).write(true).create_new(true), path)?)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        in_use(open_regular(OpenOptions::new().read(true), path)?)
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        in_use(open_regular(OpenOptions::new().read(true).write(true), path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_name(&self, path: &Path) -> io::Result<Option<Box<dyn UnlinkedFile>>> {
        // One that cannot be opened is removed all the same.
        let file = open_regular(OpenOptions::new().write(true), path);
        fs::remove_file(path)?;
        Ok(file.ok().map(|file| Box::new(RealUnlinkedFile(file)) as Box<dyn UnlinkedFile>))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let file = open_regular(OpenOptions::new().write(true).create(true).truncate(false), path)?;
        file.try_lock()?;
        Ok(Box::new(file))
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Opens a regular file, new ones for the owner alone.
fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Opening a pipe without a writer would wait for one.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    match options.mode(FILE_MODE).custom_flags(flags.bits().cast_signed()).open(path) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => Err(io::Error::other(
            "it is a symbolic link, and links in place of files are not followed; put the file itself in its place",
        )),
        opened => {
            let file = opened?;
            let is_regular = file.metadata()?.is_file();
            if is_regular { Ok(file) } else { Err(io::Error::other("it is not a regular file; move it away")) }
        }
    }
}

/// How often, and after how long a pause, a lock that another program holds is tried again: a
/// remover has one for moments only.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// A file that was opened, with a lock that tells so to whoever would give its bytes back
/// ([`RealUnlinkedFile`]), in this process or another. One that has lost its name meanwhile may be
/// in that state already, and counts as not there.
///
/// # Errors
/// `NotFound`; `ResourceBusy` where another program keeps it locked.
fn in_use(file: File) -> io::Result<Arc<dyn DiskFile>> {
    let mut tries = 0;
    loop {
        let locked = file.try_lock_shared();
        if file.metadata()?.nlink() == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        match locked {
            // It has its name, so it is not lost, whoever that is.
            Err(TryLockError::WouldBlock) if tries == LOCK_TRIES => {
                let what = "another program keeps it locked; end that program, and try again";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, what));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            // Where there are no locks, nothing is given back piece by piece.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
            _ => return Ok(Arc::new(RealFile(file))),
        }
        tries += 1;
    }
}

/// A file without the name under which it was opened.
#[derive(Debug)]
struct RealUnlinkedFile(File);

impl UnlinkedFile for RealUnlinkedFile {
    fn give_back(&mut self, bytes: u64) -> io::Result<u64> {
        // Nobody can open it any more, so this holds once it does.
        self.0.try_lock()?;
        let found = self.0.metadata()?;
        if found.nlink() > 0 {
            // A backup has it.
            return Err(io::ErrorKind::Unsupported.into());
        }
        let left = found.len().saturating_sub(bytes);
        self.0.set_len(left)?;
        Ok(left)
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(buf, offset)
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        take_space(&self.0, len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(target_os = "linux")]
fn take_space(file: &File, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{Errno, retry_on_intr};
    match retry_on_intr(|| fallocate(file, FallocateFlags::KEEP_SIZE, 0, len)) {
        // The file system cannot; what is free is asked for before each commit all the same.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        taken => Ok(taken?),
    }
}

/// Other systems have no call that leaves the length as it is.
#[cfg(not(target_os = "linux"))]
fn take_space(_: &File, _: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::read_all;

    /// A directory with a file of three bytes.
    fn three_bytes() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        RealDisk.create(&path).unwrap().write_all_at(b"abc", 0).unwrap();
        (dir, path)
    }

    #[test]
    fn a_removed_file_stays_as_it_is_for_those_who_read_it_and_goes_by_pieces_then() {
        let (_dir, path) = three_bytes();
        let readers = [RealDisk.open(&path).unwrap(), RealDisk.open_for_writing(&path).unwrap()];
        let mut remains = RealDisk.remove_name(&path).unwrap().unwrap();
        assert!(!path.exists());
        for reader in readers {
            assert_eq!(remains.give_back(2).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            let mut bytes = [0; 3];
            reader.read_exact_at(&mut bytes, 0).unwrap();
            assert_eq!(&bytes, b"abc");
        }
        assert_eq!((remains.give_back(2).unwrap(), remains.give_back(2).unwrap()), (1, 0));
    }

    #[test]
    fn a_removed_file_that_a_backup_has_linked_is_never_cut() {
        let (dir, path) = three_bytes();
        let link = dir.path().join("link");
        RealDisk.link(&path, &link).unwrap();
        RealDisk.remove_name(&path).unwrap().unwrap().give_back(2).unwrap_err();
        assert_eq!(read_all(&RealDisk, &link).unwrap(), b"abc");
    }

    #[test]
    fn a_file_that_another_program_has_locked_is_busy_and_not_missing() {
        let (_dir, path) = three_bytes();
        let other = File::open(&path).unwrap();
        other.lock().unwrap();
        let refused = RealDisk.open(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ResourceBusy);
        assert!(refused.to_string().contains("another program"), "{refused}");
        other.unlock().unwrap();
        assert_eq!(read_all(&RealDisk, &path).unwrap(), b"abc");
    }

    #[test]
    fn a_link_in_place_of_a_file_is_named_and_its_target_is_never_touched() {
        let (dir, victim) = three_bytes();
        let (link, dangling) = (dir.path().join("link"), dir.path().join("dangling"));
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        std::os::unix::fs::symlink(dir.path().join("absent"), &dangling).unwrap();
        for path in [&link, &dangling] {
            let refused = [
                RealDisk.open(path).map(drop),
                RealDisk.open_for_writing(path).map(drop),
                RealDisk.lock(path).map(drop),
            ];
            for refused in refused {
                let refused = refused.unwrap_err();
                assert!(refused.to_string().contains("symbolic link"), "{refused}");
            }
            assert_eq!(RealDisk.create(path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert!(RealDisk.exists(path).unwrap());
        }
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["dangling", "file", "link"]);
        assert!(RealDisk.remove_name(&link).unwrap().is_none());
        RealDisk.remove(&dangling).unwrap();
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["file"]);
        assert_eq!(fs::read(&victim).unwrap(), b"abc");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_in_place_of_a_file_is_named_and_does_not_hold_the_start_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for refused in [RealDisk.open(&path), RealDisk.open_for_writing(&path)] {
            assert!(refused.unwrap_err().to_string().contains("not a regular file"));
        }
    }

    #[test]
    fn whoever_opens_a_file_while_it_is_removed_finds_none() {
        let (_dir, path) = three_bytes();
        let opened_before = [File::open(&path).unwrap(), File::open(&path).unwrap()];
        let mut remains = RealDisk.remove_name(&path).unwrap().unwrap();
        remains.give_back(2).unwrap();
        let [during, after] = opened_before;
        assert_eq!(in_use(during).unwrap_err().kind(), io::ErrorKind::NotFound);
        drop(remains);
        assert_eq!(in_use(after).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
