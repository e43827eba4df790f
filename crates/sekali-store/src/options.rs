//! Where a store is, and how it is opened.

use std::path::Path;
use std::sync::Arc;

use crate::backup::{self, Frozen};
use crate::disk::{Disk, RealDisk};
use crate::error::{Error, Result};
use crate::index::IndexOptions;
use crate::meta::{self, StoreMeta};
use crate::rules::ContentRules;
use crate::store::{OpeningPolicy, Store};
use crate::tuning::Tuning;

/// The way in which a partition goes on, or does not, once it has lost events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDamage {
    /// It goes on without them: their keys are unknown, so they are stored again if they are sent
    /// again.
    #[default]
    GoOn,
    /// It takes no commit any more, or does not open, and says why. For a replica, whose outcomes
    /// must not depend on its own disk: it is replaced by a copy of another.
    Stop,
}

/// How to open a store: on which disk, and by which rules payloads are compared. The default is the
/// operating system's file system, and payloads that are equal if their bytes are.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    disk: Arc<dyn Disk>,
    rules: ContentRules,
    tuning: Tuning,
    accepts_absence: bool,
    on_damage: OnDamage,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            disk: Arc::new(RealDisk),
            rules: ContentRules::BYTES,
            tuning: Tuning::default(),
            accepts_absence: false,
            on_damage: OnDamage::GoOn,
        }
    }
}

impl StoreOptions {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another disk.
    #[must_use]
    pub fn disk(self, disk: Arc<dyn Disk>) -> Self {
        Self { disk, ..self }
    }

    /// Other rules for payloads. A store must be opened with the same rules every time.
    #[must_use]
    pub fn rules(self, rules: ContentRules) -> Self {
        Self { rules, ..self }
    }

    /// Takes the files of a directory that is missing or empty for lost, if so told. Otherwise
    /// opening fails with [`Error::Absent`], because they would stay hidden once they are back.
    #[must_use]
    pub fn accept_absence(self, accepts_absence: bool) -> Self {
        Self { accepts_absence, ..self }
    }

    /// Another way to treat lost events. With [`OnDamage::Stop`] opening fails with
    /// [`Error::Stopped`] where events, or keys of expired events, are lost, whether or not an
    /// operator has accepted that.
    #[must_use]
    pub fn on_damage(self, on_damage: OnDamage) -> Self {
        Self { on_damage, ..self }
    }

    /// Other sizes inside, for tests of states that take ages to reach otherwise.
    #[doc(hidden)]
    #[must_use]
    pub fn tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// Creates a store in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is a store already, and those of [`StoreOptions::open`].
    pub fn create(&self, dir: &Path, meta: &StoreMeta) -> Result<Store> {
        if meta::exists(&*self.disk, dir)? {
            let what = format!("there is a store in {} already: open it, or name another directory", dir.display());
            return Err(Error::Invalid(what));
        }
        self.open_or_create(dir, meta)
    }

    /// Opens the store in `dir` and recovers every partition. The directory stays locked until
    /// every partition is dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there is no store, [`Error::Locked`], [`Error::NewerFormat`],
    /// [`Error::Damaged`] of the meta file (damage to data does not keep a store from opening),
    /// [`Error::Absent`], and [`Error::Io`].
    pub fn open(&self, dir: &Path) -> Result<Store> {
        self.load(dir, None)
    }

    /// Opens the store in `dir`, or creates it with `meta` where there is none.
    ///
    /// # Errors
    /// Those of [`StoreOptions::open`].
    pub fn open_or_create(&self, dir: &Path, meta: &StoreMeta) -> Result<Store> {
        self.load(dir, Some(meta))
    }

    fn load(&self, dir: &Path, new: Option<&StoreMeta>) -> Result<Store> {
        Store::load(Arc::clone(&self.disk), dir, new, &self.policy())
    }

    fn policy(&self) -> OpeningPolicy {
        let Self { rules, tuning, accepts_absence, on_damage, .. } = *self;
        OpeningPolicy { rules, tuning, accepts_absence, stops_on_damage: on_damage == OnDamage::Stop }
    }

    /// Opens the store in `dir` as it is at this moment, beside a process that may be using it.
    /// Nothing is locked, and no change reaches the disk: changes stay in memory.
    ///
    /// # Errors
    /// Those of [`StoreOptions::open`], and [`Error::Damaged`] of a manifest, since another could
    /// only be written on the disk. A damaged index is left out: such a partition can be read and
    /// verified.
    pub fn open_frozen(&self, dir: &Path) -> Result<Store> {
        let Frozen { disk, index_damage } = backup::freeze(&*self.disk, dir)?;
        // No threads: there is nothing to write.
        let index = IndexOptions { background: false, ..IndexOptions::default() };
        let tuning = Tuning { index, seal_in_background: false, ..Tuning::default() };
        // What is away was looked for when the files were opened.
        let policy = OpeningPolicy { tuning, accepts_absence: true, stops_on_damage: false, ..self.policy() };
        let mut store = Store::load(Arc::new(disk), dir, None, &policy)?;
        store.go_without_index(index_damage);
        Ok(store)
    }
}

impl Store {
    /// Creates a store in `dir` with the default [`StoreOptions`].
    ///
    /// # Errors
    /// As [`StoreOptions::create`].
    pub fn create(dir: impl AsRef<Path>, meta: &StoreMeta) -> Result<Self> {
        StoreOptions::default().create(dir.as_ref(), meta)
    }

    /// Opens the store in `dir` with the default [`StoreOptions`].
    ///
    /// # Errors
    /// As [`StoreOptions::open`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        StoreOptions::default().open(dir.as_ref())
    }
}
