//! Files and directories of a simulated medium, and the writes that a power cut may lose.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use rustix::io::Errno;

use super::Choose;

/// The unit that a medium writes whole or not at all, in bytes.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone, Default)]
pub(super) struct FileImage {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<FileChange>,
    /// Bytes that it owns, from the first on, whether it has them or not.
    pub(super) reserved: usize,
    /// Bytes that cannot be read, for so many reads.
    pub(super) unreadable: Option<(Range<u64>, u64)>,
}

#[derive(Debug, Clone)]
pub(super) enum FileChange {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl FileChange {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => write(bytes, *offset, data),
            Self::SetLen(len) => bytes.resize(*len, 0),
        }
    }
}

impl FileImage {
    /// An error where any of these bytes cannot be read.
    pub(super) fn pass_sectors(&mut self, read: Range<u64>) -> io::Result<()> {
        match &mut self.unreadable {
            Some((bytes, times)) if *times > 0 && bytes.start < read.end && read.start < bytes.end => {
                *times -= 1;
                Err(Errno::IO.into())
            }
            _ => Ok(()),
        }
    }

    /// Its size on disk, in bytes.
    pub(super) fn used_bytes(&self) -> usize {
        self.seen.len().max(self.reserved)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct DirImage {
    pub(super) seen: BTreeMap<String, DirEntry>,
    pub(super) durable: BTreeMap<String, DirEntry>,
    pub(super) pending: Vec<DirChange>,
}

/// The target of a name in a directory.
#[derive(Debug, Clone, Copy)]
pub(super) enum DirEntry {
    File(usize),
    Dir,
}

impl DirEntry {
    pub(super) fn file(self) -> Option<usize> {
        match self {
            Self::File(number) => Some(number),
            Self::Dir => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum DirChange {
    Link(String, DirEntry),
    Unlink(String),
    Rename(String, String),
}

impl DirChange {
    pub(super) fn apply(&self, entries: &mut BTreeMap<String, DirEntry>) {
        match self {
            Self::Link(name, entry) => drop(entries.insert(name.clone(), *entry)),
            Self::Unlink(name) => drop(entries.remove(name)),
            Self::Rename(from, to) => {
                if let Some(entry) = entries.remove(from) {
                    entries.insert(to.clone(), entry);
                }
            }
        }
    }
}

impl DirImage {
    /// Names of the files, sorted.
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.seen.iter().filter(|(_, entry)| entry.file().is_some()).map(|(name, _)| name)
    }

    pub(super) fn change(&mut self, change: DirChange) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }
}

/// The content of a file after a power cut.
pub(super) fn cut_file(file: FileImage, choose: &mut Choose<'_>) -> FileImage {
    let FileImage { mut durable, pending, unreadable, .. } = file;
    // Overlapping writes reach a medium in order; which of them, nobody knows.
    for change in pending {
        match (choose(3), &change) {
            (0, _) => {}
            (1, _) | (_, FileChange::SetLen(_)) => change.apply(&mut durable),
            (_, FileChange::Write(offset, bytes)) => {
                for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if choose(2) == 0 {
                        write(&mut durable, offset + number * SECTOR_BYTES, sector);
                    }
                }
            }
        }
    }
    FileImage { seen: durable.clone(), durable, pending: Vec::new(), reserved: 0, unreadable }
}

/// The names in a directory after a power cut.
pub(super) fn cut_dir(dir: DirImage, choose: &mut Choose<'_>) -> DirImage {
    let mut durable = dir.durable;
    // A journal keeps the order of changes to a directory, so that some prefix of them survives.
    let kept = choose(dir.pending.len() as u64 + 1) as usize;
    dir.pending.iter().take(kept).for_each(|change| change.apply(&mut durable));
    DirImage { seen: durable.clone(), durable, pending: Vec::new() }
}

fn write(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}
