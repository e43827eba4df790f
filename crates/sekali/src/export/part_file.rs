//! Files that take their name only when they are complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Destination, ExportError};
use crate::screen::Screen;

/// Written to memory before it is written to the file, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// Stored events are for the one who exports them, as they are in the store.
const FILE_MODE: u32 = 0o600;
/// Names that are tried until one is free.
const NAMES_MAX: usize = 16;

/// A name to write under, which is not yet that of the file. What was written goes away unless it
/// is [kept](Self::keep).
pub(super) struct PartFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    kept: bool,
}

impl PartFile {
    /// Makes an empty file beside `path`, which must be a regular file if it is there.
    pub(super) fn create(path: &Path) -> Result<Self, ExportError> {
        let error = |source| ExportError::Io { path: path.to_owned(), source };
        if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let reason = "it is not a regular file, and would be replaced; name another, or write to standard output";
            return Err(error(io::Error::other(reason)));
        }
        let name = path.file_name().ok_or_else(|| error(io::ErrorKind::InvalidFilename.into()))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = parent.canonicalize().map_err(error)?;
        // Two exports of the same name at a time do not meet, and nobody knows the name beforehand.
        let part = || parent.join(format!("{}.{:08x}.part", name.to_string_lossy(), rand::random::<u32>()));
        let (part, file) = create_first(std::iter::repeat_with(part).take(NAMES_MAX)).map_err(error)?;
        Ok(Self { path: path.to_owned(), part, file, kept: false })
    }

    /// The file to write.
    pub(super) fn writer(&self) -> Result<File, ExportError> {
        self.file.try_clone().map_err(|source| self.error(source))
    }

    /// Its name, for a library that opens files itself. No part of it is a symbolic link.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Gives the file, which is complete, its name, durably.
    pub(super) fn keep(mut self) -> Result<(), ExportError> {
        let kept = self.file.sync_all();
        kept.and_then(|()| fs::rename(&self.part, &self.path)).map_err(|error| self.error(error))?;
        self.kept = true;
        let directory = self.part.parent().map_or_else(|| File::open("."), File::open);
        directory.and_then(|directory| directory.sync_all()).map_err(|error| self.error(error))
    }

    /// An error of the operating system about this file.
    pub(super) fn error(&self, source: io::Error) -> ExportError {
        ExportError::Io { path: self.path.clone(), source }
    }

    /// An error of a library about this file.
    pub(super) fn format_error(&self, reason: impl std::fmt::Display) -> ExportError {
        ExportError::Format { path: self.path.clone(), reason: reason.to_string() }
    }
}

/// Creates the first of these files that is not there. What is there, a symbolic link above all, is
/// left alone.
fn create_first(names: impl Iterator<Item = PathBuf>) -> io::Result<(PathBuf, File)> {
    let mut refused = io::ErrorKind::AlreadyExists.into();
    for part in names {
        match OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(&part) {
            Ok(file) => return Ok((part, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refused = error,
            Err(error) => return Err(error),
        }
    }
    Err(refused)
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.kept {
            // Its name says what it is, if it cannot be removed.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Standard output, or a file that takes its name when it is complete.
pub(super) enum TextFile {
    Stdout(BufWriter<Box<dyn Write + Send>>),
    File(BufWriter<File>, PartFile),
}

impl TextFile {
    pub(super) fn create(destination: &Destination) -> Result<Self, ExportError> {
        let path = match destination {
            Destination::Stdout => return Ok(Self::Stdout(BufWriter::with_capacity(BUFFER_BYTES, stdout()))),
            Destination::File(path) => path,
        };
        let part = PartFile::create(path)?;
        let file = part.writer()?;
        Ok(Self::File(BufWriter::with_capacity(BUFFER_BYTES, file), part))
    }

    pub(super) fn error(&self, source: io::Error) -> ExportError {
        match self {
            Self::Stdout(_) => ExportError::Stdout(source),
            Self::File(_, part) => part.error(source),
        }
    }

    pub(super) fn finish(mut self) -> Result<(), ExportError> {
        self.flush().map_err(|error| self.error(error))?;
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File(_, part) => part.keep(),
        }
    }
}

impl Write for TextFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file, _) => file.flush(),
        }
    }
}

/// Standard output; on a terminal, what events say is shown and not obeyed.
fn stdout() -> Box<dyn Write + Send> {
    let stdout = io::stdout();
    if stdout.is_terminal() { Box::new(Screen::new(stdout, false)) } else { Box::new(stdout) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_the_name_before_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.ndjson");
        fs::write(&path, "the export of yesterday").unwrap();
        let mut file = TextFile::create(&Destination::File(path.clone())).unwrap();
        file.write_all(b"half of").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "the export of yesterday");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the part was left behind");

        let mut file = TextFile::create(&Destination::File(path.clone())).unwrap();
        file.write_all(b"all of it").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "all of it");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_planted_link_is_neither_written_through_nor_taken_over() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (victim, absent) = (dir.path().join("victim"), dir.path().join("absent"));
        fs::write(&victim, "root's").unwrap();
        let names = ["1.part", "2.part", "3.part"].map(|name| dir.path().join(name));
        std::os::unix::fs::symlink(&victim, &names[0]).unwrap();
        std::os::unix::fs::symlink(&absent, &names[1]).unwrap();
        assert!(create_first(names[..2].iter().cloned()).is_err());
        let (part, mut file) = create_first(names.iter().cloned()).unwrap();
        file.write_all(b"events").unwrap();
        assert_eq!((part, fs::read(&names[2]).unwrap()), (names[2].clone(), b"events".to_vec()));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "root's");
        assert!(!absent.exists());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, FILE_MODE);
    }

    #[test]
    fn devices_and_directories_are_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().join("device");
        std::os::unix::net::UnixListener::bind(&device).unwrap();
        for path in [dir.path(), &device] {
            assert!(matches!(PartFile::create(path), Err(ExportError::Io { .. })), "{}", path.display());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
