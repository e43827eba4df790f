//! A store as it is at one moment, open beside the process that uses it.

use std::path::Path;

use super::no_store;
use super::pin::{self, Pinned};
use crate::disk::frozen::FrozenDisk;
use crate::disk::{self, Disk};
use crate::error::{Error, IoContext, Result};
use crate::ids::run::Run;
use crate::manifest::{self, Manifest};
use crate::meta;
use crate::store::partition_dir;

/// The live files of the store in `dir`, as a disk that nothing is written to.
///
/// # Errors
/// [`Error::Invalid`] where there is no store, [`Error::NewerFormat`], [`Error::Damaged`] of a meta file, a manifest or a run
/// (opening the store would make the index anew, for which a copy in memory is no place), and I/O errors.
pub(crate) fn freeze(disk: &dyn Disk, dir: &Path) -> Result<FrozenDisk> {
    if !meta::exists(disk, dir)? {
        return Err(no_store(disk, dir)?);
    }
    let frozen = FrozenDisk::default();
    let meta_path = dir.join(meta::FILE_NAME);
    add_bytes(&frozen, &meta_path, &disk::read_all(disk, &meta_path).at("read", &meta_path)?)?;
    for number in 0..meta::load(disk, dir)?.partitions {
        let dir = partition_dir(dir, number);
        let Pinned { manifest, files, .. } = pin::pin(disk, &dir)?;
        for file in files {
            frozen.add(file.path, file.file, file.len);
        }
        if let Some(bytes) = manifest {
            add_bytes(&frozen, &dir.join(manifest::FILE_NAME), &bytes)?;
            check_runs(&frozen, &dir, &bytes)?;
        }
    }
    Ok(frozen)
}

fn add_bytes(frozen: &FrozenDisk, path: &Path, bytes: &[u8]) -> Result<()> {
    let written = frozen.create(path).and_then(|file| file.write_all_at(bytes, 0));
    written.at("copy", path)
}

fn check_runs(frozen: &FrozenDisk, dir: &Path, manifest: &[u8]) -> Result<()> {
    let live = Manifest::decode(manifest, &dir.join(manifest::FILE_NAME))?;
    for info in &live.runs {
        Run::open(frozen, &dir.join(pin::IDS), info).map_err(|error| Error::Damaged {
            path: dir.join(pin::IDS),
            what: format!("{}; restart the server, which makes the index anew", error.describe()),
        })?;
    }
    Ok(())
}
