//! State that the writer and the readers of a partition share.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use crate::counters::Counters;
use crate::damage::DamageList;
use crate::disk::Disk;
use crate::durable_mark::DurableMark;
use crate::error::{Error, Result};
use crate::hash::KeyHasher;
use crate::index::Index;
use crate::invariant::invariant;
use crate::log::file::LogFile;
use crate::log::position::LogPosition;
use crate::manifest::{Expired, ManifestFile, SavedPosition};
use crate::retention::Retention;
use crate::rules::ContentRules;
use crate::segment::Segment;
use crate::tally::Tally;

use super::data_file::DataFile;
use super::horizon::Horizon;
use super::listener::CommitListener;
use super::losses::Losses;
use super::space::Space;

/// Shared by the writer and all readers. The lock is held for moments only, never across I/O.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) hasher: KeyHasher,
    pub(super) rules: ContentRules,
    pub(super) mark: DurableMark,
    pub(super) index: Index,
    pub(super) manifest: Arc<ManifestFile>,
    pub(super) losses: Losses,
    pub(super) space: Space,
    /// Why sealing failed the last time, if it did.
    sealing_failed: Mutex<Option<(io::ErrorKind, String)>>,
    state: RwLock<VisibleState>,
    /// Number of topics in `state`.
    topic_count: AtomicUsize,
    /// The rules by which events expire, as they were told last.
    retention: RwLock<Arc<Retention>>,
    /// The events that were due by them when a read looked last.
    horizon: Mutex<Option<Arc<Horizon>>>,
    listener: OnceLock<Arc<dyn CommitListener>>,
    /// Keeps the store locked: the index goes on writing as long as there are readers.
    _lock: Arc<dyn Any + Send + Sync>,
}

#[derive(Debug)]
struct VisibleState {
    files: Arc<Vec<DataFile>>,
    /// The seq after the last event that is durable.
    end_seq: u64,
    /// Time of the last commit.
    last_commit_ns: Option<i64>,
    counters: Counters,
    upstream: Option<u64>,
    topics: BTreeMap<Box<str>, Tally>,
    expired: Expired,
    stopped: Option<String>,
}

impl VisibleState {
    fn replace(&mut self, old: &[DataFile], segment: Option<Arc<Segment>>) -> Result<()> {
        let at = self.files.iter().position(|file| old.iter().any(|old| old.is(file)));
        let Some(at) = at else { invariant!("a file that is to be replaced is not live") };
        let is_old = |file: &DataFile| old.iter().any(|old| old.is(file));
        let neighbours = self.files.iter().skip(at).take(old.len()).filter(|file| is_old(file)).count();
        invariant!(neighbours == old.len(), "files that are to be replaced are no neighbours");
        let files = Arc::make_mut(&mut self.files);
        files.drain(at..at + old.len());
        if let Some(segment) = segment {
            files.insert(at, DataFile::Segment(segment));
        }
        Ok(())
    }

    /// Takes what has expired from a topic's counts. A topic without events is none.
    fn shrink(&mut self, topic: &str, gone: &Tally) {
        let Some(known) = self.topics.get_mut(topic) else { return };
        let mut left = Tally {
            events: known.events.saturating_sub(gone.events),
            bytes: known.bytes.saturating_sub(gone.bytes),
            ..Tally::default()
        };
        // Counts are subtracted, not summed up again: a log file may already have what is about to
        // be published.
        self.files.iter().filter_map(|file| file.timestamps_ns(topic)).for_each(|(first_ns, last_ns)| {
            left.first_timestamp_ns = left.first_timestamp_ns.min(first_ns);
            left.last_timestamp_ns = left.last_timestamp_ns.max(last_ns);
        });
        if left.events > 0 {
            *known = left;
        } else {
            self.topics.remove(topic);
        }
    }
}

/// State of a partition after recovery.
#[derive(Debug)]
pub(super) struct RecoveredPartition {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) hasher: KeyHasher,
    pub(super) rules: ContentRules,
    pub(super) mark: DurableMark,
    pub(super) index: Index,
    pub(super) manifest: Arc<ManifestFile>,
    /// In order of seq.
    pub(super) files: Vec<DataFile>,
    pub(super) damage: DamageList,
    /// Where the log stands.
    pub(super) position: LogPosition,
    /// Whether nothing is committed once events are lost.
    pub(super) stops_on_damage: bool,
}

/// The files and the last seq that a read sees, unchanged by later writes.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) files: Arc<Vec<DataFile>>,
    pub(super) end_seq: u64,
}

impl Shared {
    pub(super) fn new(opened: RecoveredPartition, lock: Arc<dyn Any + Send + Sync>) -> Self {
        let mut topics = BTreeMap::<Box<str>, Tally>::new();
        for file in &opened.files {
            file.tallies(|topic, tally| match topics.get_mut(topic) {
                Some(known) => known.add(tally),
                None => drop(topics.insert(topic.into(), *tally)),
            });
        }
        let expired = opened.manifest.get().expired.unwrap_or_default();
        Self {
            space: Space::new(opened.disk, opened.dir),
            topic_count: AtomicUsize::new(topics.len()),
            losses: Losses::new(opened.damage, Arc::clone(&opened.manifest), opened.stops_on_damage),
            hasher: opened.hasher,
            rules: opened.rules,
            mark: opened.mark,
            index: opened.index,
            manifest: opened.manifest,
            state: RwLock::new(VisibleState {
                files: Arc::new(opened.files),
                end_seq: opened.position.next_seq,
                last_commit_ns: (opened.position.next_commit > 1).then_some(opened.position.received_at_ns),
                counters: opened.position.totals,
                upstream: opened.position.upstream,
                topics,
                expired,
                stopped: None,
            }),
            sealing_failed: Mutex::new(None),
            retention: RwLock::default(),
            horizon: Mutex::default(),
            listener: OnceLock::new(),
            _lock: lock,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.read();
        Snapshot { files: Arc::clone(&state.files), end_seq: state.end_seq }
    }

    /// When the oldest event was received that is not sealed, if there is one. Reads at most an
    /// extent of each log file.
    pub(super) fn oldest_unsealed_ns(&self) -> Result<Option<i64>> {
        for file in self.snapshot().files.iter() {
            if let DataFile::Log(file) = file
                && let Some(first_ns) = file.first_received_at_ns()?
            {
                return Ok(Some(first_ns));
            }
        }
        Ok(None)
    }

    pub(super) fn last_commit_ns(&self) -> Option<i64> {
        self.read().last_commit_ns
    }

    pub(super) fn counters(&self) -> Counters {
        self.read().counters
    }

    /// The topics from `from` on, by name, at most `limit`, with all live files.
    pub(super) fn topics_from<T>(
        &self,
        from: &str,
        limit: usize,
        describe: impl Fn(&str, &Tally, &[DataFile]) -> T,
    ) -> Vec<T> {
        let state = self.read();
        let topics = state.topics.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        topics.take(limit).map(|(topic, tally)| describe(topic, tally, &state.files)).collect()
    }

    /// Number of topics with events.
    pub(super) fn topic_count(&self) -> usize {
        self.topic_count.load(Ordering::Relaxed)
    }

    /// How many of these topics have no events.
    pub(super) fn count_new(&self, topics: &BTreeSet<&str>) -> usize {
        let state = self.read();
        topics.iter().filter(|topic| !state.topics.contains_key(**topic)).count()
    }

    pub(super) fn expired(&self) -> Expired {
        self.read().expired
    }

    /// Takes the lost keys of expired events for accepted, if these are all. Returns whether there
    /// were any.
    pub(super) fn accept_forgotten(&self, forgotten_seq: Option<u64>) -> bool {
        let expired = &mut self.write().expired;
        let is_shown = expired.forgotten_keys().is_some() && forgotten_seq == Some(expired.forgotten_seq);
        expired.accepted |= is_shown;
        is_shown
    }

    /// The position in the upstream log of the last durable commit that had one.
    pub(super) fn upstream(&self) -> Option<u64> {
        self.read().upstream
    }

    /// The rules by which events expire.
    pub(super) fn retention(&self) -> Arc<Retention> {
        Arc::clone(&self.retention.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_retention(&self, retention: Arc<Retention>) {
        *self.retention.write().unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// The events that were due when a read looked last.
    pub(super) fn horizon(&self) -> Option<Arc<Horizon>> {
        self.horizon.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_horizon(&self, horizon: Arc<Horizon>) {
        *self.horizon.lock().unwrap_or_else(PoisonError::into_inner) = Some(horizon);
    }

    pub(super) fn stopped(&self) -> Option<String> {
        self.read().stopped.clone().or_else(|| self.losses.stopped().cloned())
    }

    /// Why sealing failed the last time, if it did.
    pub(super) fn sealing_failed(&self) -> Option<(io::ErrorKind, String)> {
        self.sealing_failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how sealing went.
    pub(super) fn note_sealing(&self, failed: Option<&Error>) {
        let failed = failed.map(|error| (error.kind(), error.to_string()));
        *self.sealing_failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    /// Has a listener told of commits, unless there is one already.
    pub(super) fn listen(&self, listener: Arc<dyn CommitListener>) {
        let _ = self.listener.set(listener);
    }

    /// Lets readers see what has become durable, then tells the listener.
    ///
    /// # Errors
    /// [`Error::Broken`] where seqs or counters went back, or do not add up. Nothing has changed
    /// then.
    pub(super) fn publish(&self, position: &LogPosition, topics: &[(&str, Tally)]) -> Result<()> {
        self.show(position, topics)?;
        if let Some(listener) = self.listener.get() {
            listener.committed(position.next_seq, &mut topics.iter().map(|(topic, _)| *topic));
        }
        Ok(())
    }

    fn show(&self, position: &LogPosition, topics: &[(&str, Tally)]) -> Result<()> {
        let mut state = self.write();
        invariant!(position.next_seq >= state.end_seq, "a commit has smaller seqs than the one before");
        invariant!(position.totals.include(&state.counters), "counters went back");
        invariant!(position.totals.reconcile(), "counters do not add up");
        state.end_seq = position.next_seq;
        state.last_commit_ns = Some(position.received_at_ns);
        state.counters = position.totals;
        state.upstream = position.upstream;
        for (topic, tally) in topics {
            match state.topics.get_mut(*topic) {
                Some(known) => known.add(tally),
                None => drop(state.topics.insert((*topic).into(), *tally)),
            }
        }
        self.topic_count.store(state.topics.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Lets readers see a new file, empty yet.
    ///
    /// # Errors
    /// [`Error::Broken`] where it does not follow the other files.
    pub(super) fn add_file(&self, file: Arc<LogFile>) -> Result<()> {
        let mut state = self.write();
        invariant!(file.first_seq == state.end_seq, "a log file does not follow the last event");
        Arc::make_mut(&mut state.files).push(DataFile::Log(file));
        Ok(())
    }

    /// Lets readers see a segment in the place of some files, or nothing if those had no events.
    ///
    /// # Errors
    /// [`Error::Broken`] where they are not live, or no neighbours. Nothing has changed then.
    pub(super) fn replace(&self, old: &[DataFile], segment: Option<Arc<Segment>>) -> Result<()> {
        self.write().replace(old, segment)
    }

    /// Lets readers see what is left of a segment, and the counts of these topics without what is
    /// not.
    pub(super) fn expire(
        &self,
        old: &Arc<Segment>,
        rest: Option<Arc<Segment>>,
        topics: &BTreeSet<Box<str>>,
        expired: &Expired,
    ) -> Result<()> {
        let mut state = self.write();
        state.replace(&[DataFile::Segment(Arc::clone(old))], rest)?;
        state.expired.add(expired);
        for (topic, gone) in old.tallies().filter(|(topic, _)| topics.contains(*topic)) {
            state.shrink(topic, &gone);
        }
        self.topic_count.store(state.topics.len(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes no more commits from now on, and says why.
    pub(super) fn stop(&self, error: &Error) -> Error {
        let reason = error.describe();
        self.write().stopped = Some(reason.clone());
        Error::Stopped(reason)
    }

    /// Notes that everything before `position` has been synced.
    ///
    /// # Errors
    /// [`Error::Broken`] where it lies before a position that was noted.
    pub(super) fn note_durable(&self, position: &LogPosition) -> Result<()> {
        if position.next_commit > 1 { self.manifest.note_durable(SavedPosition::from(position)) } else { Ok(()) }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, VisibleState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, VisibleState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
