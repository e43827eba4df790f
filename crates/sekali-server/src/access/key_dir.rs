//! A data directory that is held open while its file of keys changes.
//!
//! Root may change the keys of a server that runs as another user, who owns the directory and may
//! put links in it at any moment. So files are opened and renamed relative to the open directory,
//! no link is followed, and ownership changes by descriptor, never by path.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;

/// The ending of a file that is not finished.
const TEMP_SUFFIX: &str = ".tmp";

/// An open, locked directory.
#[derive(Debug)]
pub(super) struct KeyDir(File);

impl KeyDir {
    /// Opens a directory.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        File::open(dir).map(Self)
    }

    /// Waits for its lock, which is held until this is dropped.
    ///
    /// # Errors
    /// The file system knows no locks.
    pub(super) fn lock(&self) -> io::Result<()> {
        self.0.lock()
    }

    /// Opens a file in it for reading.
    ///
    /// # Errors
    /// There is none, or it is a symbolic link.
    pub(super) fn open_file(&self, name: &str) -> io::Result<File> {
        // Opening a pipe without a writer would wait for one.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::LOOP) => Err(io::Error::other(
                "it is a symbolic link, which is not followed where keys change; put the file itself in its place",
            )),
            opened => Ok(opened?.into()),
        }
    }

    /// Replaces a file in it, readable by the owner of the directory alone. After a crash there is
    /// the old one or the new one, whole.
    ///
    /// # Errors
    /// Those of the operating system. The old file is in place then, unless the last sync failed.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temp = format!("{name}{TEMP_SUFFIX}");
        match unlinkat(&self.0, &temp, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => return Err(error.into()),
            _ => {}
        }
        let written = self.write(&temp, bytes);
        let renamed = written.and_then(|()| Ok(renameat(&self.0, &temp, &self.0, name)?));
        if renamed.is_err() {
            // The next change removes it otherwise.
            let _ = unlinkat(&self.0, &temp, AtFlags::empty());
        }
        renamed?;
        self.0.sync_all()
    }

    fn write(&self, temp: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, temp, flags, Mode::RUSR | Mode::WUSR)?);
        file.write_all(bytes)?;
        hand_over(&file, &self.0.metadata()?)?;
        file.sync_all()
    }
}

/// Gives a file that was just created to the owner of the directory, who is the one that runs the
/// server.
fn hand_over(file: &File, dir: &Metadata) -> io::Result<()> {
    if file.metadata()?.uid() == dir.uid() { Ok(()) } else { fchown(file, Some(dir.uid()), Some(dir.gid())) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    /// Another user, if this process may have several: only root hands files over.
    fn other_owner() -> u32 {
        const NOBODY: u32 = 65_534;
        let own = rustix::process::geteuid().as_raw();
        if own == 0 { NOBODY } else { own }
    }

    #[test]
    fn a_new_file_belongs_to_the_owner_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        chown(dir.path(), Some(other_owner()), None).unwrap();
        KeyDir::open(dir.path()).unwrap().replace("keys", b"new").unwrap();
        assert_eq!(fs::metadata(dir.path().join("keys")).unwrap().uid(), other_owner());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_that_takes_the_place_of_the_new_file_does_not_get_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, name) = (dir.path().join("victim"), dir.path().join("keys"));
        fs::write(&victim, "root's").unwrap();
        let before = fs::metadata(&victim).unwrap().uid();
        let file = File::create(&name).unwrap();
        fs::rename(&name, dir.path().join("aside")).unwrap();
        symlink(&victim, &name).unwrap();
        chown(dir.path(), Some(other_owner()), None).unwrap();
        hand_over(&file, &fs::metadata(dir.path()).unwrap()).unwrap();
        assert_eq!(fs::metadata(&victim).unwrap().uid(), before);
        assert_eq!(file.metadata().unwrap().uid(), other_owner());
    }

    #[test]
    fn links_in_the_way_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, absent) = (dir.path().join("victim"), dir.path().join("absent"));
        fs::write(&victim, "root's").unwrap();
        let open = KeyDir::open(dir.path()).unwrap();
        for target in [&victim, &absent] {
            symlink(target, dir.path().join("keys.tmp")).unwrap();
            open.replace("keys", b"new").unwrap();
            assert_eq!(fs::read(dir.path().join("keys")).unwrap(), b"new");
            fs::remove_file(dir.path().join("keys")).unwrap();
            symlink(target, dir.path().join("keys")).unwrap();
            assert!(open.open_file("keys").unwrap_err().to_string().contains("symbolic link"));
            open.replace("keys", b"new").unwrap();
            assert_eq!(fs::read_to_string(&victim).unwrap(), "root's");
            assert!(!absent.exists());
        }
    }

    #[test]
    fn a_directory_that_is_moved_away_takes_the_change_with_it() {
        let parent = tempfile::tempdir().unwrap();
        let (dir, aside, other) = (parent.path().join("data"), parent.path().join("aside"), parent.path().join("etc"));
        fs::create_dir(&dir).unwrap();
        fs::create_dir(&other).unwrap();
        let open = KeyDir::open(&dir).unwrap();
        fs::rename(&dir, &aside).unwrap();
        symlink(&other, &dir).unwrap();
        open.replace("keys", b"new").unwrap();
        assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
        assert_eq!(fs::read(aside.join("keys")).unwrap(), b"new");
    }
}
