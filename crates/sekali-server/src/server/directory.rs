//! Whether a data directory may be used, and how to say why not.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use sekali_store::Error as StoreError;
use sekali_store::disk::Disk;

use tracing::warn;

use super::StartError;
use crate::sql;

/// Files of a store's directory that do not make it one: those of a start that was cut off, keys
/// that were created first, secrets of webhooks that were put there.
const OURS: [&str; 4] = ["LOCK", "store.toml", "store.toml.tmp", "p0000"];
const KEYS: &str = "keys.toml";
/// Where statements of SQL spill to. Nothing in it has a name for long, or outlives the process.
const SPILL: &str = "tmp";
const WEBHOOKS: &str = "webhooks.toml";
/// Entries of directories that hold no data: mount points, repositories, folders on a Mac.
const IGNORED: [&str; 4] = ["lost+found", ".gitkeep", ".gitignore", ".DS_Store"];

/// Refuses a directory with files of another program: a store would be mixed up with them. One that
/// is missing or cannot be listed is for the store to judge.
pub(super) fn check(disk: &dyn Disk, dir: &Path) -> Result<(), StartError> {
    let Ok(names) = disk.list(dir) else { return Ok(()) };
    let is_ours = |name: &str| OURS.contains(&name) || name.starts_with(KEYS) || name == WEBHOOKS;
    if names.iter().any(|name| OURS.contains(&name.as_str())) {
        return Ok(());
    }
    match names.iter().find(|name| !is_ours(name) && !IGNORED.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(StartError::NotEmpty { dir: dir.to_owned(), name: name.clone() }),
    }
}

/// Lets statements of SQL spill to the disk of the store, of which the free space is watched.
/// Without that they spill to the system's directory for temporary files.
pub(super) fn spill(dir: &Path) {
    let spill = dir.join(SPILL);
    let made = match DirBuilder::new().mode(0o700).create(&spill) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.to_string()),
        _ => sql::spill_into(&spill).map_err(|error| error.to_string()),
    };
    if let Err(error) = made {
        warn!(error, dir = %spill.display(), "statements of SQL spill to another directory");
    }
}

/// The error of a store that cannot be opened because its directory may not be used.
pub(super) fn denied(dir: &Path, error: StoreError) -> StartError {
    match error {
        StoreError::Io { source, .. } if is_denied(&source) => StartError::DataDir { dir: dir.to_owned(), source },
        other => other.into(),
    }
}

/// Whether another user, mode or path would help.
pub(super) fn is_denied(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | NotADirectory)
}

/// How this process and the directory differ, as far as that explains the error.
pub(super) fn explain(dir: &Path, error: &io::Error) -> String {
    use std::os::unix::fs::MetadataExt as _;
    if error.kind() != io::ErrorKind::PermissionDenied {
        return "; name another one with --data-dir".to_owned();
    }
    let uid = rustix::process::geteuid().as_raw();
    match std::fs::metadata(dir) {
        Ok(metadata) if metadata.uid() != uid => format!(
            ": it belongs to uid {} and this process is uid {uid}; run `chown -R {uid} {}`, or run as its owner",
            metadata.uid(),
            dir.display()
        ),
        _ => format!(" (this process is uid {uid})"),
    }
}
