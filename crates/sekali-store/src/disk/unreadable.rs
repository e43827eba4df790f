//! Reads that the medium refuses: damage to the bytes that were asked for, and to nothing else.

use std::io;
use std::ops::Range;
use std::path::Path;

use rustix::io::Errno;

use super::{Disk, DiskFile};
use crate::error::{Error, IoContext, Result};

/// The unit in which bytes around unreadable ones are read.
const PIECE_BYTES: usize = 4096;

/// Errors of the medium. All others are of the process or of the system, such as too many open
/// files, and say nothing of the bytes.
#[cfg(target_os = "linux")]
const OF_MEDIUM: &[Errno] = &[
    Errno::IO,       // a sector that cannot be read, as most drivers report it
    Errno::NODATA,   // the same: a critical error of the medium
    Errno::REMOTEIO, // the same: a critical error of the target
    Errno::TIMEDOUT, // the medium gave no answer
    Errno::BADMSG,   // a checksum of the file system fails
    Errno::UCLEAN,   // a structure of the file system is damaged
    Errno::ILSEQ,    // the protection information of a sector fails
];
#[cfg(not(target_os = "linux"))]
const OF_MEDIUM: &[Errno] = &[Errno::IO, Errno::TIMEDOUT, Errno::BADMSG, Errno::ILSEQ];

/// Whether bytes are damaged: the medium cannot read them, or the file ends before them.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    let of_medium = Errno::from_io_error(error).is_some_and(|errno| OF_MEDIUM.contains(&errno));
    of_medium || error.kind() == io::ErrorKind::UnexpectedEof
}

/// A failed read of the file at `path`: damage where the medium is at fault.
pub(crate) fn failed_read(error: io::Error, path: &Path) -> Error {
    if is_damage(&error) {
        return Error::Damaged { path: path.to_owned(), what: format!("it cannot be read: {error}") };
    }
    Error::Io { action: "read", path: path.to_owned(), source: error }
}

/// Fills `buf` from `offset` of the file at `path` on. Tries again once, since some errors pass.
///
/// # Errors
/// [`Error::Damaged`] where the medium cannot read the bytes or the file ends before them; I/O
/// errors.
pub(crate) fn read_at(file: &dyn DiskFile, path: &Path, buf: &mut [u8], offset: u64) -> Result<()> {
    try_read(file, buf, offset).map_err(|error| failed_read(error, path))
}

fn try_read(file: &dyn DiskFile, buf: &mut [u8], offset: u64) -> io::Result<()> {
    match file.read_exact_at(buf, offset) {
        Err(error) if is_damage(&error) && error.kind() != io::ErrorKind::UnexpectedEof => {
            file.read_exact_at(buf, offset)
        }
        read => read,
    }
}

/// Opens the file at `path` for reading.
///
/// # Errors
/// As [`read_at`]; `NotFound` is an I/O error.
pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<std::sync::Arc<dyn DiskFile>> {
    disk.open(path).map_err(|error| match failed_read(error, path) {
        Error::Io { source, path, .. } => Error::Io { action: "open", path, source },
        damaged => damaged,
    })
}

/// Reads the whole file at `path`.
///
/// # Errors
/// As [`read_at`]; `NotFound` is an I/O error.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>> {
    let file = open(disk, path)?;
    let len = file.len().at("read the length of", path)?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    read_at(&*file, path, &mut bytes, 0)?;
    Ok(bytes)
}

/// Fills `buf` as [`read_at`]. Bytes that the medium cannot read, and those behind the end of the
/// file, are zeros, which are never valid. Returns the places in `buf` of the former.
///
/// # Errors
/// I/O errors that are no damage.
pub(crate) fn read_around(file: &dyn DiskFile, path: &Path, buf: &mut [u8], offset: u64) -> Result<Vec<Range<usize>>> {
    let mut unreadable = Vec::<Range<usize>>::new();
    match try_read(file, buf, offset) {
        Ok(()) => return Ok(unreadable),
        Err(error) if is_damage(&error) => {}
        Err(error) => return Err(failed_read(error, path)),
    }
    let end = file.len().at("read the length of", path)?;
    let mut at = 0;
    for piece in buf.chunks_mut(PIECE_BYTES) {
        let (begin, len) = (at, piece.len());
        at += len;
        let there = end.saturating_sub(offset + begin as u64).min(len as u64) as usize;
        piece.fill(0);
        let Some(head) = piece.get_mut(..there).filter(|head| !head.is_empty()) else { continue };
        match try_read(file, head, offset + begin as u64) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => {
                piece.fill(0);
                match unreadable.last_mut() {
                    Some(last) if last.end == begin => last.end = begin + len,
                    _ => unreadable.push(begin..begin + len),
                }
            }
            Err(error) => return Err(failed_read(error, path)),
        }
    }
    Ok(unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryDisk;
    use super::*;

    #[test]
    fn only_errors_of_the_medium_are_damage() {
        for errno in [Errno::IO, Errno::BADMSG, Errno::TIMEDOUT, Errno::ILSEQ] {
            assert!(is_damage(&errno.into()), "{errno:?}");
        }
        for errno in [Errno::ACCESS, Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOENT, Errno::NOTDIR, Errno::INTR]
        {
            assert!(!is_damage(&errno.into()), "{errno:?}");
        }
    }

    #[test]
    fn what_the_medium_cannot_read_is_left_out_and_an_error_that_passes_is_none() {
        let (disk, path) = (MemoryDisk::new(), Path::new("/d/file"));
        disk.create_dir(Path::new("/d")).unwrap();
        let written: Vec<u8> = (0..20_000_u32).map(|at| at as u8 | 1).collect();
        disk.create(path).unwrap().write_all_at(&written, 0).unwrap();
        let file = disk.open(path).unwrap();
        let mut bytes = vec![0; 20_000];
        assert!(disk.fail_reads(path, 10_000..10_001, 1));
        read_at(&*file, path, &mut bytes, 0).unwrap();
        assert!(disk.fail_reads(path, 10_000..10_001, u64::MAX));
        assert!(matches!(read_at(&*file, path, &mut bytes, 0), Err(Error::Damaged { .. })));
        assert!(matches!(read_file(&disk, path), Err(Error::Damaged { .. })));
        let mut bytes = vec![0xff; 21_000];
        let gone = read_around(&*file, path, &mut bytes, 0).unwrap();
        assert_eq!((gone.len(), gone.first()), (1, Some(&(8_192..12_288))));
        assert_eq!((&bytes[..8_192], &bytes[12_288..20_000]), (&written[..8_192], &written[12_288..]));
        assert!(bytes[8_192..12_288].iter().chain(&bytes[20_000..]).all(|byte| *byte == 0));
    }
}
