//! A consistent copy of a store, even of one that is being written to, without a lock.
//!
//! Every live file but the last log file is immutable, and what is live is named by a manifest that
//! is replaced atomically, before anything it no longer names is removed. So for each partition:
//!
//! 1. `pin` reads the manifest, opens every file that it names and every log file behind them, and
//!    reads the manifest again. If it is the same, no live file was removed meanwhile, and what is
//!    open is the store of that moment; from then on the files cannot go away, whatever becomes of
//!    their names. If it is not the same, this begins again.
//! 2. `copy` gives each immutable file a second name in the copy (a hard link), or copies it where
//!    that cannot be done. The last log file is always copied, up to the length it had when it was
//!    opened. The manifest comes last.
//!
//! All events acknowledged before the backup began are in it: they were written before their log
//! file was opened, and that file, or the one that had replaced it, was live. No event is in it
//! twice: the copy is a state that the store was in, or that a crash would have left. The last log
//! file may end within a commit that was not acknowledged; recovery cuts that commit.
//!
//! `store.toml` is written when everything else is durable. Without it a directory is no store, so
//! that a copy that was not finished is never taken for one.

mod copy;
mod frozen;
mod pin;

use std::path::{Path, PathBuf};

use crate::disk::{Disk, unreadable};
use crate::error::{Error, IoContext, Result};
use crate::meta::{self, partition_dir};
use copy::Copier;
pub(crate) use frozen::{Frozen, freeze};

/// Result of a backup or a restore.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Files in the copy.
    pub files: u64,
    /// Bytes of the files that now have a second name.
    pub linked_bytes: u64,
    /// Bytes that were copied.
    pub copied_bytes: u64,
    /// Files that the store should have and does not. The copy has all the rest, and names what is
    /// lost when it is opened.
    pub missing: Vec<PathBuf>,
    /// Files of which the medium could not read some bytes. The copy has zeros in their place, and
    /// names what is lost when it is opened.
    pub unreadable: Vec<PathBuf>,
}

impl Copied {
    /// Bytes in the copy.
    pub fn bytes(&self) -> u64 {
        self.linked_bytes + self.copied_bytes
    }
}

/// Copies the store in `from`, which may be in use, to `to`, which must not exist or be empty.
/// Files that are never written to again are linked where the file system allows it. `progress` is
/// told after every piece of work. The copy is a data directory, and durable when this returns.
///
/// # Errors
/// [`Error::Invalid`] where there is no store or `to` is not empty, [`Error::NewerFormat`],
/// [`Error::Damaged`] of a meta file or manifest, and I/O errors. What was copied so far is not
/// removed, and is not taken for a store.
pub fn backup(disk: &dyn Disk, from: &Path, to: &Path, progress: impl FnMut(&Copied)) -> Result<Copied> {
    copy_store(from, to, Copier::new(disk, true, progress))
}

/// As [`backup`], of a backup to a data directory; everything is copied, so that no damage to one
/// can be damage to the other.
///
/// # Errors
/// Those of [`backup`].
pub fn restore(disk: &dyn Disk, backup: &Path, dir: &Path, progress: impl FnMut(&Copied)) -> Result<Copied> {
    copy_store(backup, dir, Copier::new(disk, false, progress))
}

fn copy_store<P: FnMut(&Copied)>(from: &Path, to: &Path, mut copier: Copier<'_, P>) -> Result<Copied> {
    let disk = copier.disk();
    if !meta::exists(disk, from)? {
        return Err(no_store(disk, from)?);
    }
    let partitions = meta::load(disk, from)?.partitions;
    let is_new = make_room(disk, to)?;
    for number in 0..partitions {
        let files = pin::pin(disk, &partition_dir(from, number))?;
        copier.partition(files, &partition_dir(to, number))?;
    }
    disk.sync_dir(to).at("sync", to)?;
    if let Some(parent) = to.parent().filter(|_| is_new) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        disk.sync_dir(parent).at("sync", parent)?;
    }
    let (from_meta, to_meta) = (from.join(meta::FILE_NAME), to.join(meta::FILE_NAME));
    let text = unreadable::read_file(disk, &from_meta)?;
    copier.last(&to_meta, &text)
}

/// Why there is nothing to copy in `dir`.
fn no_store(disk: &dyn Disk, dir: &Path) -> Result<Error> {
    if is_begun(disk, dir)? {
        let what = "it is missing; this is a copy that was not finished, or a store that has lost it".to_owned();
        return Ok(Error::Damaged { path: dir.join(meta::FILE_NAME), what });
    }
    Ok(Error::Invalid(format!("there is no store in {}", dir.display())))
}

/// Makes the directory. `false` where it was there, and empty.
fn make_room(disk: &dyn Disk, to: &Path) -> Result<bool> {
    if !disk.exists(to).at("look for", to)? {
        disk.create_dir_all(to).at("create", to)?;
        return Ok(true);
    }
    let (is_begun, is_whole) = (is_begun(disk, to)?, meta::exists(disk, to)?);
    let to_do = match (is_begun, is_whole) {
        (_, true) => "holds a store already; name a directory that does not exist",
        (true, false) => "holds a copy that was not finished; remove it and try again",
        // Other directories, such as `lost+found`, are in nobody's way.
        _ if disk.list(to).at("list", to)?.is_empty() => return Ok(false),
        _ => "is not empty; name a directory that does not exist",
    };
    Err(Error::Invalid(format!("{} {to_do}", to.display())))
}

fn is_begun(disk: &dyn Disk, dir: &Path) -> Result<bool> {
    disk.exists(&partition_dir(dir, 0)).at("look into", dir)
}
