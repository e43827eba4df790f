//! A store: a data directory with its meta file, its lock and its partitions.

use std::io;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::backup::{self, Frozen};
use crate::disk::{self, Disk};
use crate::error::{Error, IoContext, Result};
use crate::hash::{HashKey, KeyHasher};
use crate::index::IndexOptions;
use crate::meta::{self, StoreMeta};
use crate::partition::{Partition, PartitionOptions};
use crate::rules::ContentRules;
use crate::tuning::Tuning;

const LOCK_FILE: &str = "LOCK";
/// What a store that exists is opened with.
const NO_META: StoreMeta = StoreMeta { store_id: 0, hash_key: HashKey([0; 32]), partitions: 1 };

/// An open store.
#[derive(Debug)]
pub struct Store {
    meta: StoreMeta,
    hasher: KeyHasher,
    partitions: Vec<Partition>,
}

impl Store {
    /// Opens the store in `dir`, or makes the `new` one where there is none, and recovers every partition. The directory
    /// stays locked until every partition is dropped.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::NewerFormat`], [`Error::Damaged`] (of the meta file: damage to data does not keep a store
    /// from opening) and [`Error::Io`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, new: &StoreMeta, rules: ContentRules) -> Result<Self> {
        Self::open_with(disk, dir, new, rules, Tuning::default())
    }

    /// As [`Store::open`], but makes no store where there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is none, and those of [`Store::open`].
    pub fn open_existing(disk: Arc<dyn Disk>, dir: &Path, rules: ContentRules) -> Result<Self> {
        if !meta::exists(&*disk, dir)? {
            return Err(Error::Invalid(format!("there is no store in {}", dir.display())));
        }
        Self::open(disk, dir, &NO_META, rules)
    }

    /// As [`Store::open_existing`], but of the store as it is at this moment, beside a process that may be using it. Nothing is
    /// locked, and nothing that is done to this store reaches the disk: it stays in memory.
    ///
    /// # Errors
    /// Those of [`Store::open_existing`], and [`Error::Damaged`] also of manifests, which could only be made anew on the disk. A damaged
    /// index is left out: such a partition can be read and verified.
    pub fn open_frozen(disk: &dyn Disk, dir: &Path, rules: ContentRules) -> Result<Self> {
        let Frozen { disk, index_damage } = backup::freeze(disk, dir)?;
        // No thread of its own: there is nothing to do but to read.
        let index = IndexOptions { background: false, ..IndexOptions::default() };
        let tuning = Tuning { index, seal_in_background: false, ..Tuning::default() };
        let mut store = Self::open_with(Arc::new(disk), dir, &NO_META, rules, tuning)?;
        for (partition, damage) in store.partitions.iter_mut().zip(index_damage) {
            damage.into_iter().for_each(|damage| partition.go_without_index(damage));
        }
        Ok(store)
    }

    /// As [`Store::open`], for tests of what happens at sizes and collisions that take ages to come about.
    #[doc(hidden)]
    pub fn open_with(
        disk: Arc<dyn Disk>,
        dir: &Path,
        new: &StoreMeta,
        rules: ContentRules,
        tuning: Tuning,
    ) -> Result<Self> {
        let parent = disk::parent_of(dir);
        disk.create_dir_all(parent).at("create", parent)?;
        disk.create_dir(dir).at("create", dir)?;
        let lock_path = dir.join(LOCK_FILE);
        let lock = match disk.lock(&lock_path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Error::Locked(dir.to_owned())),
            lock => Arc::from(lock.at("lock", &lock_path)?),
        };
        let meta = meta::load_or_create(&*disk, dir, new)?;
        let hasher = KeyHasher::new(&meta.hash_key).colliding(tuning.fingerprint_mask);
        let partitions = (0..meta.partitions)
            .map(|number| {
                let dir = meta::partition_dir(dir, number);
                let lock = Arc::clone(&lock);
                Partition::open(PartitionOptions { disk: &disk, dir: &dir, number, meta: &meta, tuning, rules, lock })
            })
            .collect::<Result<_>>()?;
        // Once for all partitions: nothing that is in them was promised to anybody yet.
        disk.sync_dir(dir).at("sync", dir)?;
        Ok(Self { meta, hasher, partitions })
    }

    /// Tells this store from others.
    pub fn id(&self) -> u128 {
        self.meta.store_id
    }

    /// Hashes events for this store's batches.
    pub fn hasher(&self) -> KeyHasher {
        self.hasher
    }

    /// Number of partitions.
    pub fn partition_count(&self) -> u32 {
        self.meta.partitions
    }

    /// The partitions, by number.
    pub fn into_partitions(self) -> Vec<Partition> {
        self.partitions
    }
}

/// The partition of a topic: XXH3-64 of its bytes, modulo the number of partitions. Part of the format.
pub fn partition_of(topic: &str, partitions: u32) -> u32 {
    (xxh3_64(topic.as_bytes()) % u64::from(partitions.max(1))) as u32
}
