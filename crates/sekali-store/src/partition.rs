//! One ordered log with one writer and its own dedup index: a deterministic state machine.

mod added;
mod decide;
mod found;
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
use std::sync::Arc;

use crate::batch::Batch;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::hash::KeyHasher;
use crate::limits::FRAME_BODY_BYTES_MAX;
use crate::log::frame::Builder;
use crate::log::writer::{Commit, LogWriter};
use crate::meta::NewStore;
use crate::rules::ContentRules;
use crate::tuning::Tuning;

pub use crate::log::open::TornTail;
use decide::Decider;
use open::OpenPartition;
pub use reader::{Reader, StorageStats, TopicSummary};
pub use scan::{Order, Scan, Scanner};
use scratch::Scratch;
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

/// The writing half of a partition. There is one, and it moves into the thread that commits.
#[derive(Debug)]
pub struct Partition {
    /// First, so that it is dropped first: its thread ends before the store is unlocked.
    sealer: Sealer,
    shared: Arc<Shared>,
    log: LogWriter,
    hasher: KeyHasher,
    rules: ContentRules,
    builder: Builder,
    scratch: Scratch,
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
        let (builder, hasher) = (Builder::new(log_dir.salt), opened.hasher);
        let store = (opening.number == 0).then(|| MetaPlace::of(&opening)).flatten();
        let shared = Arc::new(Shared::new(opened, opening.lock));
        let sealer = Sealer::new(&shared, log_dir, segment_dir, &opening.tuning)?;
        let (rules, torn, free_bytes_min) = (opening.rules, log.torn, opening.tuning.free_bytes_min);
        let log = log.writer;
        let mut partition = Self {
            sealer,
            shared,
            log,
            hasher,
            rules,
            builder,
            scratch: Scratch::default(),
            free_bytes_min,
            torn,
            rebuilt,
            index_damage: None,
            store,
        };
        partition.shared.note_durable(partition.log.position());
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
    pub fn accept_damage(&mut self) -> Result<usize> {
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
        self.look_up(batches)?;
        self.builder.begin(self.log.position().next_seq, received_at_ns);
        let Scratch { known, added, .. } = &mut self.scratch;
        let mut decider = Decider::new(&self.shared, self.hasher, self.rules, &mut self.builder, known, added);
        let outcomes = batches.iter().map(|batch| decider.decide_all(batch)).collect::<Result<_>>()?;
        let counts = decider.finish();
        if self.builder.len() > FRAME_BODY_BYTES_MAX {
            return Err(too_large(self.builder.len()));
        }
        let commit = Commit { received_at_ns, upstream, counts };
        self.take_room().map_err(|error| self.refuse_or_stop(error))?;
        self.write(&commit).map_err(|error| self.shared.stop(&error))?;
        Ok(outcomes)
    }

    /// Writes down, outside the log, how far the log is durable, unless that is known: damage to what lies before can then
    /// never pass for a torn tail. Worth doing when a partition falls idle. Every change of the manifest does it as well.
    ///
    /// # Errors
    /// I/O errors. Nothing that was answered is at stake, and a later call may succeed.
    pub fn mark(&mut self) -> Result<()> {
        self.shared.manifest.mark_durable()
    }

    /// Ends the partition in order.
    ///
    /// # Errors
    /// As [`Partition::mark`].
    pub fn close(mut self) -> Result<()> {
        self.mark()
    }

    /// Makes sure of the space for the frame that was built, in a new file if the last one is full.
    fn take_room(&mut self) -> Result<()> {
        if let Some(file) = self.log.rotate_if_full()? {
            self.shared.add_file(file);
        }
        self.log.take_room(self.builder.len() as u64)
    }

    /// Without space nothing was written, and a later commit may succeed. Any other error leaves the log in doubt.
    fn refuse_or_stop(&self, error: Error) -> Error {
        match error {
            Error::StorageFull { .. } => error,
            _ => self.shared.stop(&error),
        }
    }

    /// Writes and syncs the frame, then lets look-ups and readers see it. Any error leaves the log in doubt.
    fn write(&mut self, commit: &Commit) -> Result<()> {
        let topics = self.log.append(&mut self.builder, commit)?;
        self.shared.note_durable(self.log.position());
        self.shared.index.insert(self.scratch.added.entries());
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
        let can_write = self.shared.index.health().and_then(|()| self.sealer.make_room());
        can_write.map_err(|error| self.shared.told_apart(error))?;
        self.shared.check_space(bytes as u64 + self.free_bytes_min)
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

    /// Finds what the index knows of the events.
    fn look_up(&mut self, batches: &[Batch]) -> Result<()> {
        let events = batches.iter().map(Batch::len).sum();
        let Scratch { fingerprints, found, known, .. } = self.scratch.begin(events);
        fingerprints.extend(batches.iter().flat_map(Batch::events).map(|(hash, _)| hash.fingerprint));
        if let Err(error) = self.shared.index.look_up(fingerprints, found) {
            return Err(self.distrust_index(error));
        }
        known.fill(events, found);
        Ok(())
    }
}

fn too_large(bytes: usize) -> Error {
    Error::Invalid(format!("a commit of {bytes} bytes is over the limit of {FRAME_BODY_BYTES_MAX}"))
}
