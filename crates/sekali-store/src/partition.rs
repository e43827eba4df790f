//! One ordered log with one writer and its own dedup index: a deterministic state machine.

mod data_file;
mod horizon;
mod keep;
mod listener;
mod losses;
mod marker;
mod mend;
mod open;
mod outcome;
mod read;
mod shared;
mod space;
mod take_back;
mod times;
mod write;

use std::sync::{Arc, Mutex};

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::invariant::invariant;

pub use crate::log::open::TornTail;
pub use keep::{Finding, Retainer, Scrubbed, Scrubber, Verification};
use keep::{MetaFileCopy, Sealer};
pub use listener::CommitListener;
pub use marker::Marker;
use open::OpenPartition;
pub(crate) use open::PartitionOptions;
pub use outcome::{Decision, Outcome, Preview};
pub use read::{Ahead, Reader, Scan, Scanner, StorageStats, TopicSummary};
use shared::Shared;
pub use write::Commit;
use write::{CommitPlanner, WritePath};

/// The writing half of a partition. There is one; several threads may commit with it, each a commit
/// of its own: the next is decided while the last is being written.
#[derive(Debug)]
pub struct Partition {
    /// First, so that it is dropped first: a thread of it ends before the store is unlocked.
    writer: WritePath,
    shared: Arc<Shared>,
    torn: Option<TornTail>,
    rebuilt: Option<String>,
    recovered_events: u64,
    notes: Vec<String>,
    /// The reason why parts of the index are missing.
    index_damage: Option<String>,
    /// The meta file of the store, for partition 0 to check.
    store: Option<MetaFileCopy>,
    number: u32,
    /// Partitions of the store.
    partitions: u32,
}

impl Partition {
    pub(crate) fn open(options: PartitionOptions<'_>) -> Result<Self> {
        let OpenPartition { opened, log, log_dir, segment_dir, rebuilt, recovered_events, notes } =
            open::open(&options)?;
        let salt = log_dir.salt;
        let store = (options.number == 0).then(|| MetaFileCopy::of(&options)).flatten();
        let shared = Arc::new(Shared::new(opened, options.lock));
        let (torn, free_bytes_min) = (log.torn, options.tuning.free_bytes_min);
        let position = *log.writer.position();
        let log = Arc::new(Mutex::new(log.writer));
        let sealer = Sealer::new(&shared, log_dir, segment_dir, Arc::clone(&log), &options.tuning)?;
        shared.note_durable(&position)?;
        let planner = CommitPlanner::new(salt, &position);
        let writer = WritePath::new(sealer, Arc::clone(&shared), planner, log, free_bytes_min);
        let (number, partitions) = (options.number, options.meta.partitions);
        let partition = Self {
            writer,
            shared,
            torn,
            rebuilt,
            recovered_events,
            notes,
            index_damage: None,
            store,
            number,
            partitions,
        };
        // What the start has found to be lost is noted for good before anything is published again.
        open::unless_full(partition.shared.losses.settle())?;
        open::unless_full(partition.mark())?;
        Ok(partition)
    }

    /// A handle to read with, beside the writer.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Has a listener told of each commit from now on. There is one: further ones are ignored.
    pub fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.shared.listen(listener);
    }

    /// A handle to say which events may go, beside the writer.
    pub fn retainer(&self) -> Retainer {
        self.writer.sealer().retainer()
    }

    /// A handle to mark how far the log is durable, beside the writer.
    pub fn marker(&self) -> Marker {
        Marker::new(Arc::clone(&self.shared))
    }

    /// A handle to read and check everything with, little by little, beside the writer.
    pub fn scrubber(&self) -> Scrubber {
        Scrubber::new(Arc::clone(&self.shared), self.writer.sealer().log_dir().clone(), self.store.clone())
    }

    /// Takes what [`Partition::verify`] has shown to be lost for accepted, for good: it was
    /// published again, or nobody has it any more. It is then no longer shown as damage. What was
    /// found since stays damage. Answers how many places were accepted.
    ///
    /// # Errors
    /// I/O errors, and [`Error::Invalid`] where the partition [stops](crate::OnDamage::Stop) on
    /// damage; nothing has changed then.
    pub fn accept_damage(&self, shown: &Verification) -> Result<usize> {
        let forgotten_seq = shown.forgotten_seq();
        let places = self.shared.losses.accept(&shown.damage, forgotten_seq)?;
        Ok(places + usize::from(self.shared.accept_forgotten(forgotten_seq)))
    }

    /// The torn tail that opening the partition has cut off, if there was one.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }

    /// Sentences on events that were lost, as when their file was away, and could be read when the
    /// partition was opened: one for each loss that was taken back, or was not, and why.
    pub fn returned(&self) -> &[String] {
        &self.notes
    }

    /// Events that opening the partition has found in the log behind the position that was last
    /// marked as durable: 0 if it was closed in order, or was idle when its process ended.
    pub fn recovered_events(&self) -> u64 {
        self.recovered_events
    }

    /// Why opening the partition has rebuilt its index from the log, if it did.
    pub fn rebuilt_index(&self) -> Option<&str> {
        self.rebuilt.as_deref()
    }

    /// Takes no more commits, and compares nothing with the index: it is not all there, for this
    /// reason.
    pub(crate) fn go_without_index(&mut self, damage: String) {
        self.shared.stop(&Error::Invalid("its index is not all there".to_owned()));
        self.index_damage = Some(damage);
    }

    /// The last position in the upstream log that a commit was given, if one was.
    pub fn upstream(&self) -> Option<u64> {
        self.writer.log().position().upstream
    }

    /// Decides every event of `batches`, in order, writes what is new and syncs it: a whole
    /// [`Commit`] in one call. What it answers is durable, and readers see it when this returns.
    /// The same batches in the same order always have the same outcomes.
    ///
    /// # Errors
    /// As [`Commit::decide`] and [`Commit::finish`]. Only after [`Error::Stopped`] may something
    /// have been written.
    pub fn commit(
        &mut self,
        batches: &[Batch],
        received_at_ns: i64,
        upstream: Option<u64>,
    ) -> Result<Vec<Vec<Outcome>>> {
        let mut commit = self.begin();
        let mut outcomes = all_outcomes(commit.decide(batches, received_at_ns)?);
        if outcomes.is_none() {
            // No other commit comes in between, so this happens once.
            drop(commit);
            let mut batches = batches.to_vec();
            read::compare(&self.shared, &mut batches)?;
            commit = self.begin();
            outcomes = all_outcomes(commit.decide(&batches, received_at_ns)?);
        }
        let Some(outcomes) = outcomes else { invariant!("events that were compared are not decided") };
        commit.finish(upstream)?;
        Ok(outcomes)
    }

    /// Begins a commit. Waits until the one before, which another thread decides, is being written;
    /// so a thread has one at a time.
    pub fn begin(&self) -> Commit<'_> {
        Commit::begin(&self.writer)
    }

    /// Writes down, outside the log, how far the log is durable, unless that is known: damage to
    /// what lies before can then never pass for a torn tail. Worth doing when a partition falls
    /// idle. Every change of the manifest does it as well.
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

    /// Reads every event and every other byte, verifies all checksums, and checks that the index
    /// has each of them once and nothing else, that each topic is in its own partition, that no seq
    /// is missing without a reason, and that the counters add up. `progress` is told how
    /// many events have been read. It takes as long as reading the partition does; commits must
    /// wait, which is why it is the writer's.
    ///
    /// # Errors
    /// Only what keeps the check from going on; what it finds is in the answer.
    pub fn verify(&mut self, progress: impl FnMut(u64)) -> Result<Verification> {
        let check = keep::Check { shared: &self.shared, partition: self.number, partitions: self.partitions };
        check.run(self.scrubber(), self.index_damage.clone(), progress)
    }

    /// Forgets the index. The partition takes no more commits; when the store is opened again, the
    /// index is rebuilt from the log.
    ///
    /// # Errors
    /// I/O errors; the index is then as it was.
    pub fn forget_index(&mut self) -> Result<()> {
        self.shared.index.forget()?;
        self.shared.stop(&Error::Invalid("its index is to be rebuilt at the next start".to_owned()));
        Ok(())
    }
}

/// The outcomes of all batches, unless one was set aside.
fn all_outcomes(decisions: Vec<Decision>) -> Option<Vec<Vec<Outcome>>> {
    decisions.into_iter().map(Decision::outcomes).collect()
}
