//! One ordered log with one writer and its own dedup index: a deterministic state machine.

mod added;
mod commit;
mod decide;
mod draft;
mod found;
mod front;
mod known;
mod open;
mod part;
mod reader;
mod scan;
mod scratch;
mod scrub;
mod seal;
mod shared;
mod verify;

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::Batch;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::limits::FRAME_BODY_BYTES_MAX;
use crate::log::writer::LogWriter;
use crate::meta::NewStore;
use crate::rules::ContentRules;
use crate::tuning::Tuning;

pub use crate::log::open::TornTail;
pub use commit::Commit;
use draft::UnderWay;
use front::{Front, too_large};
use open::OpenPartition;
pub use reader::{Reader, StorageStats, TopicSummary};
pub use scan::{Scan, Scanner};
use scrub::MetaPlace;
pub use scrub::{Scrubbed, Scrubber};
pub use seal::Retainer;
use seal::Sealer;
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

/// The writing half of a partition. There is one; several threads may commit with it, each a commit of its own: the next
/// is decided while the last is being written.
#[derive(Debug)]
pub struct Partition {
    /// First, so that it is dropped first: its thread ends before the store is unlocked.
    sealer: Sealer,
    shared: Arc<Shared>,
    /// Held while a commit is decided, and until it is its turn to be written.
    front: Mutex<Front>,
    /// Held while a commit is written. Taken after `front`, never before.
    log: Mutex<LogWriter>,
    /// Free space, in bytes, that a commit must leave.
    free_bytes_min: u64,
    torn: Option<TornTail>,
    rebuilt: Option<String>,
    /// What is wrong with the index, where it is not all there.
    index_damage: Option<String>,
    /// The meta file of the store, for partition 0 to check.
    store: Option<MetaPlace>,
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
    pub(crate) lock: Arc<dyn Any + Send + Sync>,
}

impl Partition {
    pub(crate) fn open(opening: Opening<'_>) -> Result<Self> {
        let OpenPartition { opened, log, log_dir, segment_dir, rebuilt } = open::open(&opening)?;
        let (salt, hasher) = (log_dir.salt, opened.hasher);
        let store = (opening.number == 0).then(|| MetaPlace::of(&opening)).flatten();
        let shared = Arc::new(Shared::new(opened, opening.lock));
        let sealer = Sealer::new(&shared, log_dir, segment_dir, &opening.tuning)?;
        let (rules, torn, free_bytes_min) = (opening.rules, log.torn, opening.tuning.free_bytes_min);
        let log = log.writer;
        shared.note_durable(log.position());
        let partition = Self {
            sealer,
            front: Mutex::new(Front::new(hasher, rules, salt, log.position())),
            shared,
            log: Mutex::new(log),
            free_bytes_min,
            torn,
            rebuilt,
            index_damage: None,
            store,
        };
        open::unless_full(partition.mark())?;
        Ok(partition)
    }

    /// A handle to read with, beside the writer.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// A handle to say which events may go, beside the writer.
    pub fn retainer(&self) -> Retainer {
        self.sealer.retainer()
    }

    /// A handle to read and check everything with, little by little, beside the writer.
    pub fn scrubber(&self) -> Scrubber {
        Scrubber::new(Arc::clone(&self.shared), self.sealer.log_dir().clone(), self.store.clone())
    }

    /// Takes what is lost for accepted, for good: it was published again, or nobody has it any more. It is then no longer shown as
    /// damage. Answers how many places that were.
    ///
    /// # Errors
    /// I/O errors; nothing has changed then.
    pub fn accept_damage(&self) -> Result<usize> {
        self.shared.accept_damage()
    }

    /// The torn tail that opening the partition has cut off, if there was one.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }

    /// Why opening the partition has rebuilt its index from the log, if it did.
    pub fn rebuilt_index(&self) -> Option<&str> {
        self.rebuilt.as_deref()
    }

    /// Takes no more commits, and compares nothing with the index: it is not all there, for this reason.
    pub(crate) fn go_without_index(&mut self, damage: String) {
        self.shared.stop(&Error::Invalid("its index is not all there".to_owned()));
        self.index_damage = Some(damage);
    }

    /// The last position in the upstream log that a commit was given, if one was.
    pub fn upstream(&self) -> Option<u64> {
        self.log().position().upstream
    }

    /// Decides every event of `batches`, in order, writes what is new and syncs it: a whole [`Commit`] in one call. What it answers
    /// is durable, and readers see it when this returns. The same batches in the same order always have the same outcomes.
    ///
    /// # Errors
    /// As [`Commit::decide`] and [`Commit::finish`]. Only after [`Error::Stopped`] may something have been written.
    pub fn commit(
        &mut self,
        batches: &[Batch],
        received_at_ns: i64,
        upstream: Option<u64>,
    ) -> Result<Vec<Vec<Outcome>>> {
        let mut commit = self.begin();
        let outcomes = commit.decide(batches, received_at_ns)?;
        commit.finish(upstream)?;
        Ok(outcomes)
    }

    /// Begins a commit. Waits until the one before, which another thread decides, is being written; so a thread has one at a
    /// time.
    pub fn begin(&self) -> Commit<'_> {
        Commit::begin(self, self.front.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down, outside the log, how far the log is durable, unless that is known: damage to what lies before can then
    /// never pass for a torn tail. Worth doing when a partition falls idle. Every change of the manifest does it as well.
    ///
    /// # Errors
    /// I/O errors. Nothing that was answered is at stake, and a later call may succeed.
    pub fn mark(&self) -> Result<()> {
        self.shared.manifest.mark_durable()
    }

    /// Ends the partition in order.
    ///
    /// # Errors
    /// As [`Partition::mark`].
    pub fn close(self) -> Result<()> {
        self.mark()
    }

    /// Makes sure of the space for a frame of so many bytes, in a new file if the last one is full.
    fn take_room(&self, log: &mut LogWriter, frame_bytes: usize) -> Result<()> {
        if let Some(file) = log.rotate_if_full()? {
            self.shared.add_file(file);
        }
        log.take_room(frame_bytes as u64)
    }

    /// Writes and syncs a commit, then lets look-ups and readers see it. Any error leaves the log in doubt.
    fn write(&self, log: &mut LogWriter, commit: &UnderWay) -> Result<()> {
        let topics = log.append(commit.draft.builder.bytes())?;
        self.shared.note_durable(log.position());
        self.shared.index.insert(commit.draft.added.entries());
        commit.note_known();
        self.shared.publish(log.position(), &topics);
        Ok(())
    }

    /// Waits until nobody writes.
    fn log(&self) -> MutexGuard<'_, LogWriter> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there may be commits at all.
    fn check_running(&self) -> Result<()> {
        if let Some(reason) = self.shared.stopped() {
            return Err(Error::Stopped(reason));
        }
        if self.front.is_poisoned() || self.log.is_poisoned() {
            return Err(self
                .shared
                .stop(&Error::Invalid("a commit panicked, nobody knows how far it came".to_owned())));
        }
        Ok(())
    }

    /// Whether a commit that has come to so many bytes may take `batches` as well.
    fn check_writable(&self, batches: &[Batch], begun: usize) -> Result<()> {
        self.check_running()?;
        let bytes = begun + batches.iter().map(Batch::bytes).sum::<usize>();
        if bytes > FRAME_BODY_BYTES_MAX {
            return Err(too_large(bytes));
        }
        // The index keeps in memory what it cannot write. It must not do so without bounds.
        let can_write = self.shared.index.health().and_then(|()| self.sealer.make_room());
        can_write.map_err(|error| self.shared.told_apart(error))?;
        self.shared.check_space(bytes as u64 + self.free_bytes_min)
    }
}
