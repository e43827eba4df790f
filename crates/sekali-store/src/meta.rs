//! `store.toml`: what a store is, written once when it is created.
//!
//! ```toml
//! format = 1
//! store_id = "32 hex digits"
//! partitions = 1
//! hash_key = "64 hex digits: the secret of the keyed hashes"
//! # checksum 0123456789abcdef
//! ```
//!
//! The format is looked at first: a newer one may be laid out differently.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::checked_text;
use crate::disk::{self, Disk, unreadable};
use crate::error::{Error, IoContext, Result};
use crate::hash::HashKey;
use crate::limits::PARTITIONS_MAX;

/// The version of everything in a data directory but segments.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// The version of new segments. Those of version 1 have no columns of members.
pub(crate) const SEGMENT_FORMAT_VERSION: u32 = 2;

/// Name of the meta file.
pub(crate) const FILE_NAME: &str = "store.toml";

/// Parameters of a new store. The caller draws `store_id` and `hash_key` at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreMeta {
    /// Tells stores apart.
    pub store_id: u128,
    /// Secret of the keyed hashes.
    pub hash_key: HashKey,
    /// Number of partitions, from 1 to 1,024; fixed for the store's life.
    pub partitions: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaFile {
    format: u32,
    store_id: String,
    partitions: u32,
    hash_key: String,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// The directory of a partition of the store in `dir`.
pub(crate) fn partition_dir(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("p{number:04}"))
}

/// Whether there is a store in `dir`.
pub(crate) fn exists(disk: &dyn Disk, dir: &Path) -> Result<bool> {
    let path = dir.join(FILE_NAME);
    disk.exists(&path).at("look for", &path)
}

/// Reads the meta file of the store in `dir`, or writes that of a `new` one where there is none.
pub(crate) fn load_or_create(disk: &dyn Disk, dir: &Path, new: &StoreMeta) -> Result<StoreMeta> {
    let path = dir.join(FILE_NAME);
    if !exists(disk, dir)? {
        check_partitions(new.partitions).map_err(Error::Invalid)?;
        // A store without its meta file must not be taken for an empty one: its hashes could not be
        // told again.
        if is_used(disk, &partition_dir(dir, 0))? {
            return Err(Error::Damaged {
                path,
                what: "it is missing, but there are partitions; restore it".to_owned(),
            });
        }
        disk::stage(disk, &path, encode(new)?.as_bytes()).at("write", &path)?;
        sync_entry(disk, dir)?;
        make_partitions(disk, dir, new.partitions)?;
        disk::unstage(disk, &path).at("write", &path)?;
        return Ok(*new);
    }
    load(disk, dir)
}

/// Whether the partition in `dir` has files.
fn is_used(disk: &dyn Disk, dir: &Path) -> Result<bool> {
    for dir in [dir.to_owned(), dir.join("log")] {
        if disk.exists(&dir).at("look into", &dir)? && !disk.list(&dir).at("look into", &dir)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes the directories of a new store's partitions, and of their logs, durable. Before there is a
/// meta file, so that one that is away later is not taken for one that was never made.
fn make_partitions(disk: &dyn Disk, dir: &Path, partitions: u32) -> Result<()> {
    for number in 0..partitions {
        let made = partition_dir(dir, number);
        let log = made.join("log");
        disk::refuse_links(disk, &made)?;
        disk.create_dir(&made).at("create", &made)?;
        disk.create_dir(&log).at("create", &log)?;
        disk.sync_dir(&made).at("sync", &made)?;
    }
    disk.sync_dir(dir).at("sync", dir)
}

/// Makes the name of a new store's directory durable. Before there is a meta file, so that one that
/// is there proves it, however the start that made the directory ended.
fn sync_entry(disk: &dyn Disk, dir: &Path) -> Result<()> {
    let parent = disk::parent_of(dir);
    match disk.sync_dir(parent) {
        // Where this process may not look, somebody else has made the directory.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced.at("sync", parent),
    }
}

/// The partition of a topic: XXH3-64 of its bytes, modulo the number of partitions. Part of the
/// format.
pub fn partition_of(topic: &str, partitions: u32) -> u32 {
    (xxh3_64(topic.as_bytes()) % u64::from(partitions.max(1))) as u32
}

/// Reads the meta file of the store in `dir`.
pub(crate) fn load(disk: &dyn Disk, dir: &Path) -> Result<StoreMeta> {
    let path = dir.join(FILE_NAME);
    let text = unreadable::read_file(disk, &path)?;
    let text = String::from_utf8_lossy(&text);
    let damaged = |what: String| Error::Damaged { path: path.clone(), what };
    // The version first: a newer file may have fields that this program does not know.
    let FormatOnly { format } = toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
    if format > FORMAT_VERSION {
        return Err(Error::NewerFormat { path, found: format, known: FORMAT_VERSION });
    }
    let text = checked_text::unseal(&text).map_err(|what| damaged(format!("{what}; restore it from a backup")))?;
    decode(text).map_err(damaged)
}

/// Reads the meta file of the store in `dir`, which is in use, and checks that it says `meta`;
/// where it does not, keeps a copy and writes it anew. Answers what was mended.
pub(crate) fn mend(disk: &dyn Disk, dir: &Path, meta: &StoreMeta) -> Result<Option<String>> {
    let path = dir.join(FILE_NAME);
    let what = match load(disk, dir) {
        Ok(found) if found == *meta => return Ok(None),
        Ok(_) => format!("{} is that of another store", path.display()),
        Err(error) => error.describe(),
    };
    if let Ok(bytes) = disk::read_all(disk, &path) {
        let copy = path.with_extension("damaged");
        disk::replace(disk, &copy, &bytes).at("write", &copy)?;
    }
    disk::replace(disk, &path, encode(meta)?.as_bytes()).at("write", &path)?;
    Ok(Some(what))
}

fn encode(meta: &StoreMeta) -> Result<String> {
    let file = MetaFile {
        format: FORMAT_VERSION,
        store_id: format!("{:032x}", meta.store_id),
        partitions: meta.partitions,
        hash_key: meta.hash_key.0.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    toml::to_string(&file).map(checked_text::seal).map_err(|error| Error::Invalid(error.to_string()))
}

fn decode(text: &str) -> Result<StoreMeta, String> {
    let file: MetaFile = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if file.format != FORMAT_VERSION {
        return Err(format!("format is {} and must be {FORMAT_VERSION}", file.format));
    }
    check_partitions(file.partitions)?;
    let hex = |text: &str, digits: usize| match text {
        text if text.len() != digits => None,
        text => u128::from_str_radix(text, 16).ok(),
    };
    let store_id = hex(&file.store_id, 32).ok_or("store_id is not 32 hex digits")?;
    let halves = file.hash_key.split_at_checked(32).ok_or("hash_key is not 64 hex digits")?;
    let (high, low) = hex(halves.0, 32).zip(hex(halves.1, 32)).ok_or("hash_key is not 64 hex digits")?;
    let mut key = [0; 32];
    key[..16].copy_from_slice(&high.to_be_bytes());
    key[16..].copy_from_slice(&low.to_be_bytes());
    Ok(StoreMeta { store_id, hash_key: HashKey(key), partitions: file.partitions })
}

fn check_partitions(partitions: u32) -> Result<(), String> {
    if (1..=PARTITIONS_MAX).contains(&partitions) {
        return Ok(());
    }
    Err(format!("partitions is {partitions} and must be from 1 to {PARTITIONS_MAX}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trip(store_id: u128, key: [u8; 32], partitions in 1..=PARTITIONS_MAX) {
            let meta = StoreMeta { store_id, hash_key: HashKey(key), partitions };
            let text = encode(&meta).unwrap();
            prop_assert_eq!(checked_text::unseal(&text).and_then(decode), Ok(meta));
        }
    }
}
