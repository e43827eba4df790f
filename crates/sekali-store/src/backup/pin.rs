//! Opens the live files of a partition as they are at one moment.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::absence;
use crate::disk::{Disk, DiskFile, unreadable};
use crate::error::{Error, IoContext, Result};
use crate::index::run;
use crate::limits::BACKUP_TRIES_MAX;
use crate::log::file as log_file;
use crate::manifest::{self, Manifest};
use crate::segment;

/// The live files of a partition.
#[derive(Debug, Default)]
pub(super) struct Pinned {
    /// The bytes of the manifest; `None` where nothing but the log is live yet.
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) files: Vec<PinnedFile>,
    /// Files that are live and not there.
    pub(super) missing: Vec<PathBuf>,
}

/// A file that is open, and so readable even when its name is gone.
#[derive(Debug)]
pub(super) struct PinnedFile {
    /// Where it is in its partition, as directory and name.
    pub(super) place: (&'static str, String),
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    /// Its length when it was opened. What is written later is not part of the copy.
    pub(super) len: u64,
    /// Whether it is the one that may still be written to.
    pub(super) is_growing: bool,
}

/// The directories of a partition that hold live files.
pub(super) const DIRS: [&str; 3] = [LOG, SEGMENTS, IDS];
pub(super) const LOG: &str = "log";
const SEGMENTS: &str = "segments";
pub(super) const IDS: &str = "ids";

/// Opens all that is live in the partition in `dir`.
pub(super) fn pin(disk: &dyn Disk, dir: &Path) -> Result<Pinned> {
    absence::check(disk, dir)?;
    let path = dir.join(manifest::FILE_NAME);
    for _ in 0..BACKUP_TRIES_MAX {
        let before = read_manifest(disk, &path)?;
        let pinned = open_live(disk, dir, before)?;
        if read_manifest(disk, &path)? == pinned.manifest {
            if pinned.manifest.is_none() {
                refuse_without_manifest(disk, dir, &path)?;
            }
            return Ok(pinned);
        }
    }
    let source = io::Error::new(
        io::ErrorKind::ResourceBusy,
        format!(
            "what is live changed {BACKUP_TRIES_MAX} times while its files were opened; try again when less is written"
        ),
    );
    Err(Error::Io { action: "back up", path: dir.to_owned(), source })
}

fn read_manifest(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>> {
    match unreadable::read_file(disk, path) {
        Err(error) if error.is_not_found() => Ok(None),
        read => read.map(Some),
    }
}

/// Where the manifest is lost the segments cannot be told from leftovers; opening the store can,
/// for it reads them.
fn refuse_without_manifest(disk: &dyn Disk, dir: &Path, path: &Path) -> Result<()> {
    let segments = dir.join(SEGMENTS);
    let exists = disk.exists(&segments).at("look for", &segments)?;
    if exists && !disk.list(&segments).at("list", &segments)?.is_empty() {
        let what = "it is missing, but there are segments; sekali verify makes it anew".to_owned();
        return Err(Error::Damaged { path: path.to_owned(), what });
    }
    Ok(())
}

fn open_live(disk: &dyn Disk, dir: &Path, bytes: Option<Vec<u8>>) -> Result<Pinned> {
    let live = match &bytes {
        Some(bytes) => Manifest::decode(bytes, &dir.join(manifest::FILE_NAME))?,
        None => Manifest::default(),
    };
    let first_commit = live.sealed.map_or(1, |sealed| sealed.next_commit);
    let log = log_names(disk, &dir.join(LOG), first_commit)?;
    let last = log.last().cloned();
    let places = log
        .into_iter()
        .map(|name| (LOG, name))
        .chain(
            live.segments
                .iter()
                .map(|entry| (SEGMENTS, segment::file_name(entry.first_seq, entry.last_seq, entry.revision))),
        )
        .chain(live.runs.iter().map(|info| (IDS, run::file_name(info.number))));
    let mut pinned = Pinned { manifest: bytes, ..Pinned::default() };
    for place in places {
        let path = dir.join(place.0).join(&place.1);
        match unreadable::open(disk, &path) {
            // Removed because the manifest has changed, and then this try is void; or else it is
            // lost.
            Err(error) if error.is_not_found() || matches!(error, Error::Damaged { .. }) => pinned.missing.push(path),
            opened => {
                let file = opened?;
                let len = file.len().at("read the length of", &path)?;
                let is_growing = place.0 == LOG && Some(&place.1) == last.as_ref();
                pinned.files.push(PinnedFile { place, path, file, len, is_growing });
            }
        }
    }
    Ok(pinned)
}

/// Names of the log files from this commit on, in order and without a gap.
fn log_names(disk: &dyn Disk, dir: &Path, first_commit: u64) -> Result<Vec<String>> {
    let list = || {
        let mut names = disk.list(dir).at("list", dir)?;
        names.retain(|name| name.ends_with(log_file::SUFFIX));
        let begins = names.iter().map(|name| log_file::begins(&dir.join(name)));
        let commits = begins.map(|begins| begins.map(|(_, commit)| commit)).collect::<Result<Vec<_>>>()?;
        Ok(names.into_iter().zip(commits).filter(|(_, commit)| *commit >= first_commit).map(|(name, _)| name).collect())
    };
    // A listing may or may not show files that are created while it is made, and so may show the
    // second of two and not the first. All that were created before the last one that it shows are
    // in the next listing.
    let seen: Vec<String> = list()?;
    let Some(last) = seen.last() else { return Ok(Vec::new()) };
    let mut names: Vec<String> = list()?;
    names.retain(|name| name <= last);
    Ok(names)
}
