//! One ordered log with one writer and its own dedup index: a deterministic state machine.

mod decide;
mod reader;
mod scan;
mod shared;
mod verify;

use std::path::Path;
use std::sync::Arc;

use crate::batch::Batch;
use crate::disk::Disk;
use crate::error::{Error, IoContext, Result};
use crate::hash::{Fingerprint, KeyHasher};
use crate::ids::{Entry, Index, IndexOptions};
use crate::limits::{FRAME_BODY_BYTES_MAX, FREE_BYTES_MIN};
use crate::log::Salt;
use crate::log::block::Block;
use crate::log::dir::LogDir;
use crate::log::frame::Builder;
pub use crate::log::open::TornTail;
use crate::log::open::{self, Replay};
use crate::log::writer::{Commit, LogWriter};
use crate::manifest::ManifestFile;
use crate::meta::NewStore;
use crate::rules::ContentRules;
use crate::tuning::Tuning;

use decide::Decider;
pub use reader::{Reader, TopicSummary};
pub use scan::{Order, Scan, Scanner};
use shared::Shared;
pub use verify::{Finding, Verification};

/// What became of one published event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its key was new. It is stored, as `seq`.
    Stored {
        /// Its position in the partition.
        seq: u64,
    },
    /// Its key was known, with the same content, as `seq`.
    Duplicate {
        /// The position of the event that is stored.
        seq: u64,
    },
    /// Its key was known, as `seq`, with different content, which is kept in [`crate::CONFLICTS_TOPIC`].
    Conflict {
        /// The position of the event that is stored.
        seq: u64,
    },
}

/// The writing half of a partition. There is one, and it moves into the thread that commits.
#[derive(Debug)]
pub struct Partition {
    shared: Arc<Shared>,
    log: LogWriter,
    hasher: KeyHasher,
    rules: ContentRules,
    builder: Builder,
    /// Whether the last frame is one of [`Partition::mark`].
    is_marked: bool,
    torn: Option<TornTail>,
    rebuilt: Option<String>,
    /// Keeps the store locked.
    _lock: Arc<dyn std::any::Any + Send + Sync>,
}

/// What a partition is opened with.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) disk: &'a Arc<dyn Disk>,
    pub(crate) dir: &'a Path,
    pub(crate) number: u32,
    pub(crate) meta: &'a NewStore,
    pub(crate) tuning: Tuning,
    pub(crate) rules: ContentRules,
    pub(crate) lock: Arc<dyn std::any::Any + Send + Sync>,
}

impl Partition {
    pub(crate) fn open(opening: Opening<'_>) -> Result<Self> {
        let Opening { disk, dir, number, meta, tuning, rules, lock } = opening;
        let hasher = KeyHasher::new(&meta.hash_key).colliding(tuning.fingerprint_mask);
        let salt = Salt::new(meta, number);
        let log_dir = dir.join("log");
        for made in [dir, &log_dir] {
            disk.create_dir_all(made).at("create", made)?;
        }
        disk.sync_dir(dir).at("sync", dir)?;
        let log = LogDir {
            disk: Arc::clone(disk),
            dir: log_dir,
            torn_dir: dir.join("torn"),
            store_id: meta.store_id,
            partition: number,
            salt,
        };
        let IndexOpening { index, covered_seq, durable_seq, rebuilt } = open_index(disk, dir, tuning.index)?;
        let mut entries = Vec::new();
        let opened = open::open(log, Replay { covered_seq, durable_seq }, |block| {
            entries.clear();
            entries.extend(entries_of(block, &hasher).filter(|entry| entry.seq > covered_seq));
            index.insert(&entries);
        })?;
        let torn = opened.torn.clone();
        let (shared, log) = Shared::new(disk, dir, hasher, index, opened);
        let shared = Arc::new(shared);
        let mut partition = Self {
            shared,
            log,
            hasher,
            rules,
            builder: Builder::new(salt),
            torn,
            rebuilt,
            is_marked: false,
            _lock: lock,
        };
        match partition.mark() {
            // A store on a full disk opens, to be read.
            Ok(()) | Err(Error::StorageFull { .. }) => Ok(partition),
            Err(error) => Err(error),
        }
    }

    /// A handle to read with, beside the writer.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// The torn tail that opening the partition has cut off, if there was one.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }

    /// Why opening the partition has rebuilt its index from the log, if it did.
    pub fn rebuilt_index(&self) -> Option<&str> {
        self.rebuilt.as_deref()
    }

    /// The last position in the upstream log that a commit was given, if one was.
    pub fn upstream(&self) -> Option<u64> {
        self.log.position().upstream
    }

    /// Decides every event of `batches`, in order, writes what is new and syncs it. What it answers is durable, and readers
    /// see it when this returns. The same batches in the same order always have the same outcomes.
    ///
    /// `received_at_ns` is the time, in nanoseconds since 1970-01-01T00:00:00Z; a time before the last commit's counts as that.
    /// `upstream` is stored with the commit, for a caller that replays another log.
    ///
    /// # Errors
    /// - [`Error::StorageFull`], [`Error::Invalid`]: nothing was written, and later commits may succeed.
    /// - [`Error::Stopped`]: the log could not be written, now or earlier. Whether events of this commit are on disk shows
    ///   when the store is opened again; until then there are no more commits.
    /// - [`Error::Damaged`]: a run of the index is. Nothing was written; the partition takes no more commits, and the next
    ///   start rebuilds the index.
    /// - [`Error::Io`]: something that was needed to decide could not be read, or the index cannot be written. Nothing of the
    ///   commit was written, and a later one may succeed.
    pub fn commit(
        &mut self,
        batches: &[Batch],
        received_at_ns: i64,
        upstream: Option<u64>,
    ) -> Result<Vec<Vec<Outcome>>> {
        self.check_writable(batches)?;
        let received_at_ns = received_at_ns.max(self.log.position().received_at_ns);
        let known = self.look_up(batches)?;
        self.builder.begin(self.log.position().next_seq, received_at_ns);
        let mut decider = Decider::new(&self.shared, self.hasher, self.rules, &mut self.builder, &known);
        let outcomes = batches
            .iter()
            .map(|batch| batch.events().map(|(hash, row)| decider.decide(hash, row)).collect())
            .collect::<Result<_>>()?;
        let (entries, counts) = decider.finish();
        if self.builder.len() > FRAME_BODY_BYTES_MAX {
            return Err(too_large(self.builder.len()));
        }
        let commit = Commit { received_at_ns, upstream, counts };
        self.is_marked = false;
        self.write(&commit, &entries).map_err(|error| self.shared.stop(&error))?;
        Ok(outcomes)
    }

    /// Writes a frame without events, whose durable mark covers everything before it, unless the last one is such. Damage
    /// to what it covers can never pass for a torn tail. Worth doing when a partition falls idle or closes.
    ///
    /// # Errors
    /// As [`Partition::commit`]. Nothing that was answered is at stake.
    pub fn mark(&mut self) -> Result<()> {
        if self.is_marked {
            return Ok(());
        }
        self.commit(&[], i64::MIN, None)?;
        self.is_marked = true;
        Ok(())
    }

    /// Ends the partition in order.
    ///
    /// # Errors
    /// As [`Partition::mark`].
    pub fn close(mut self) -> Result<()> {
        self.mark()
    }

    /// Writes and syncs the frame, then lets look-ups and readers see it. Any error leaves the log in doubt.
    fn write(&mut self, commit: &Commit, entries: &[Entry]) -> Result<()> {
        if let Some(file) = self.log.rotate_if_full()? {
            self.shared.add_file(file);
        }
        let topics = self.log.append(&mut self.builder, commit)?;
        self.shared.index.insert(entries);
        self.shared.publish(self.log.position(), &topics);
        Ok(())
    }

    fn check_writable(&self, batches: &[Batch]) -> Result<()> {
        if let Some(reason) = self.shared.stopped() {
            return Err(Error::Stopped(reason));
        }
        let bytes = batches.iter().map(Batch::bytes).sum::<usize>();
        if bytes > FRAME_BODY_BYTES_MAX {
            return Err(too_large(bytes));
        }
        // The index keeps in memory what it cannot write. It must not do so without bounds.
        self.shared.index.health()?;
        self.shared.check_space(bytes as u64 + FREE_BYTES_MIN)
    }

    /// A damaged index would call duplicates new. So that it is rebuilt at the next start, it is forgotten now.
    fn distrust_index(&self, error: Error) -> Error {
        if matches!(error, Error::Damaged { .. }) {
            self.shared.stop(&error);
            // If this fails too, the next start finds the damage as this commit did.
            let _ = self.shared.index.forget();
        }
        error
    }

    /// What the index knows of the events' fingerprints, by the position of the event among all of the commit.
    fn look_up(&self, batches: &[Batch]) -> Result<Vec<(usize, Entry)>> {
        let fingerprints: Vec<Fingerprint> =
            batches.iter().flat_map(Batch::events).map(|(hash, _)| hash.fingerprint).collect();
        let mut known = Vec::new();
        if let Err(error) = self.shared.index.look_up(&fingerprints, &mut known) {
            return Err(self.distrust_index(error));
        }
        known.sort_unstable_by_key(|(position, entry)| (*position, entry.seq));
        Ok(known)
    }
}

struct IndexOpening {
    index: Index,
    /// Seqs up to this one are in the index.
    covered_seq: u64,
    /// Seqs up to this one were durable, by the manifest's word.
    durable_seq: u64,
    rebuilt: Option<String>,
}

/// Opens the index; an empty one, to be filled from the log, where the manifest or a run is lost or damaged.
fn open_index(disk: &Arc<dyn Disk>, dir: &Path, options: IndexOptions) -> Result<IndexOpening> {
    let path = dir.join("MANIFEST");
    let ids = dir.join("ids");
    let (manifest, damage) = match ManifestFile::open(Arc::clone(disk), &path) {
        Err(error @ Error::Damaged { .. }) => (ManifestFile::set_aside(Arc::clone(disk), &path)?, Some(error)),
        opened => (opened?, None),
    };
    let durable_seq = manifest.get().covered_seq;
    let manifest = Arc::new(manifest);
    let (index, damage) = match Index::open(Arc::clone(disk), ids.clone(), Arc::clone(&manifest), options) {
        Err(error @ Error::Damaged { .. }) => {
            let nothing = std::iter::empty();
            (Index::rebuild(Arc::clone(disk), ids, manifest, options, nothing)?, Some(error))
        }
        opened => (opened?, damage),
    };
    let covered_seq = index.covered_seq();
    Ok(IndexOpening { index, covered_seq, durable_seq, rebuilt: damage.map(|error| error.to_string()) })
}

fn too_large(bytes: usize) -> Error {
    Error::Invalid(format!("a commit of {bytes} bytes is over the limit of {FRAME_BODY_BYTES_MAX}"))
}

/// What the index must know of the rows of a block.
fn entries_of(block: &Block<'_>, hasher: &KeyHasher) -> impl Iterator<Item = Entry> {
    block.rows().map(|(seq, event)| {
        let hash = hasher.hash(&event);
        Entry { fingerprint: hash.fingerprint, seq, content: hash.content }
    })
}
