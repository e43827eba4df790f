//! A store as it is at one moment, open beside the process that uses it.

use std::path::Path;

use super::no_store;
use super::pin::{self, Pinned};
use crate::disk::frozen::FrozenDisk;
use crate::disk::{Disk, unreadable};
use crate::error::{Error, IoContext, Result};
use crate::index::run::Run;
use crate::manifest::{self, Manifest};
use crate::meta::{self, partition_dir};

/// A store at one moment.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// Its live files, as a disk that nothing is written to.
    pub(crate) disk: FrozenDisk,
    /// Of each partition whether something of its index is not there, and what. The runs concerned
    /// are left out: making them anew is nothing for a copy in memory.
    pub(crate) index_damage: Vec<Option<String>>,
}

/// Opens the live files of the store in `dir`.
///
/// # Errors
/// [`Error::Invalid`] where there is no store, [`Error::NewerFormat`], [`Error::Damaged`] of a meta
/// file or a manifest, and I/O errors.
pub(crate) fn freeze(disk: &dyn Disk, dir: &Path) -> Result<Frozen> {
    if !meta::exists(disk, dir)? {
        return Err(no_store(disk, dir)?);
    }
    let frozen = FrozenDisk::default();
    let mut index_damage = Vec::new();
    let meta_path = dir.join(meta::FILE_NAME);
    add_bytes(&frozen, &meta_path, &unreadable::read_file(disk, &meta_path)?)?;
    for number in 0..meta::load(disk, dir)?.partitions {
        let dir = partition_dir(dir, number);
        let Pinned { manifest, files, .. } = pin::pin(disk, &dir)?;
        for file in files {
            frozen.add(file.path, file.file, file.len);
        }
        let mut damage = None;
        if let Some(bytes) = manifest {
            let path = dir.join(manifest::FILE_NAME);
            let mut live = Manifest::decode(&bytes, &path)?;
            damage = leave_damaged_runs_out(&mut live, &frozen, &dir);
            add_bytes(&frozen, &path, &if damage.is_some() { live.encode()? } else { bytes })?;
        }
        index_damage.push(damage);
    }
    Ok(Frozen { disk: frozen, index_damage })
}

fn add_bytes(frozen: &FrozenDisk, path: &Path, bytes: &[u8]) -> Result<()> {
    let written = frozen.create(path).and_then(|file| file.write_all_at(bytes, 0));
    written.at("copy", path)
}

fn leave_damaged_runs_out(live: &mut Manifest, frozen: &FrozenDisk, dir: &Path) -> Option<String> {
    let mut damage = Vec::new();
    if std::mem::take(&mut live.rebuild_index) {
        damage.push("a run was found damaged while the store was in use".to_owned());
    }
    live.runs.retain(|info| {
        let opened = Run::open(frozen, &dir.join(pin::IDS), info);
        damage.extend(opened.as_ref().err().map(Error::describe));
        opened.is_ok()
    });
    (!damage.is_empty()).then(|| damage.join("; "))
}
