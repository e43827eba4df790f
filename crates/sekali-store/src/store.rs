//! A store: a data directory with its meta file, its lock and its partitions.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{self, Disk};
use crate::error::{Error, IoContext, Result};
use crate::hash::KeyHasher;
use crate::meta::{self, StoreMeta};
use crate::partition::{Partition, PartitionOptions};
use crate::rules::ContentRules;
use crate::tuning::Tuning;

const LOCK_FILE: &str = "LOCK";

/// How partitions are opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpeningPolicy {
    pub(crate) rules: ContentRules,
    pub(crate) tuning: Tuning,
    /// Whether files that are away count as lost, a whole directory of them too.
    pub(crate) accepts_absence: bool,
    /// Whether a partition that has lost events takes no commits.
    pub(crate) stops_on_damage: bool,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    meta: StoreMeta,
    hasher: KeyHasher,
    partitions: Vec<Partition>,
}

impl Store {
    /// Opens or, with `new`, creates a store.
    pub(crate) fn load(
        disk: Arc<dyn Disk>,
        dir: &Path,
        new: Option<&StoreMeta>,
        policy: &OpeningPolicy,
    ) -> Result<Self> {
        let &OpeningPolicy { rules, tuning, accepts_absence, stops_on_damage } = policy;
        if new.is_none() && !meta::exists(&*disk, dir)? {
            return Err(Error::Invalid(format!("there is no store in {}", dir.display())));
        }
        let parent = disk::parent_of(dir);
        disk.create_dir_all(parent).at("create", parent)?;
        disk.create_dir(dir).at("create", dir)?;
        let lock_path = dir.join(LOCK_FILE);
        let lock = match disk.lock(&lock_path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Error::Locked(dir.to_owned())),
            lock => Arc::from(lock.at("lock", &lock_path)?),
        };
        let meta = match new {
            Some(new) => meta::load_or_create(&*disk, dir, new)?,
            None => meta::load(&*disk, dir)?,
        };
        let hasher = KeyHasher::new(&meta.hash_key).colliding(tuning.fingerprint_mask);
        let partitions = (0..meta.partitions)
            .map(|number| {
                let dir = meta::partition_dir(dir, number);
                let lock = Arc::clone(&lock);
                Partition::open(PartitionOptions {
                    disk: &disk,
                    dir: &dir,
                    number,
                    meta: &meta,
                    tuning,
                    rules,
                    accepts_absence,
                    stops_on_damage,
                    lock,
                })
            })
            .collect::<Result<_>>()?;
        // Once for all partitions: no client has been promised anything that is in them yet.
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

    /// Leaves out of use, in each partition, an index of which something is damaged.
    pub(crate) fn go_without_index(&mut self, damage: Vec<Option<String>>) {
        for (partition, damage) in self.partitions.iter_mut().zip(damage) {
            damage.into_iter().for_each(|damage| partition.go_without_index(damage));
        }
    }
}
