//! What the writer and the readers of a partition share.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::counters::Counters;
use crate::damage::{Damage, DamageList};
use crate::disk::{self, Disk};
use crate::error::{Error, Result};
use crate::event::StoredEvent;
use crate::hash::KeyHasher;
use crate::index::Index;
use crate::limits::FREE_BYTES_MIN;
use crate::log::file::LogFile;
use crate::log::outline::Tally;
use crate::log::recovery::Position;
use crate::manifest::{Expired, LogPlace, ManifestFile};
use crate::order::Order;
use crate::segment::{Segment, Topics};

use super::part::{Need, Part};

/// Shared by the writer and all readers. The lock is held for moments only, never across I/O.
#[derive(Debug)]
pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    pub(super) hasher: KeyHasher,
    pub(super) index: Index,
    pub(super) manifest: Arc<ManifestFile>,
    pub(super) damage: DamageList,
    /// Why sealing failed the last time, if it did.
    sealing_failed: Mutex<Option<(io::ErrorKind, String)>>,
    state: RwLock<State>,
    /// Keeps the store locked: the index goes on writing as long as there are readers.
    _lock: Arc<dyn Any + Send + Sync>,
}

#[derive(Debug)]
struct State {
    parts: Arc<Vec<Part>>,
    /// The seq after the last event that is durable.
    end_seq: u64,
    counters: Counters,
    topics: BTreeMap<Box<str>, Tally>,
    expired: Expired,
    stopped: Option<String>,
}

impl State {
    fn replace(&mut self, old: &[Part], segment: Option<Arc<Segment>>) {
        let parts = Arc::make_mut(&mut self.parts);
        let at = parts.iter().position(|part| old.iter().any(|old| old.is(part))).unwrap_or(parts.len());
        parts.retain(|part| !old.iter().any(|old| old.is(part)));
        if let Some(segment) = segment {
            parts.insert(at, Part::Segment(segment));
        }
    }

    /// Takes what has expired from a topic's counts. A topic without events is none.
    fn shrink(&mut self, topic: &str, gone: &Tally) {
        let Some(known) = self.topics.get_mut(topic) else { return };
        let mut left = Tally {
            events: known.events.saturating_sub(gone.events),
            bytes: known.bytes.saturating_sub(gone.bytes),
            ..Tally::default()
        };
        // Counts are subtracted, not summed up again: a log file may already have what is about to be published.
        self.parts.iter().filter_map(|part| part.timestamps_ns(topic)).for_each(|(first_ns, last_ns)| {
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

/// What a partition was found to be.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) hasher: KeyHasher,
    pub(super) index: Index,
    pub(super) manifest: Arc<ManifestFile>,
    /// In order of seq.
    pub(super) parts: Vec<Part>,
    pub(super) damage: DamageList,
    /// Where the log stands.
    pub(super) position: Position,
}

/// What a read sees, whatever is written meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) parts: Arc<Vec<Part>>,
    pub(super) end_seq: u64,
}

impl Shared {
    pub(super) fn new(opened: Opened, lock: Arc<dyn Any + Send + Sync>) -> Self {
        let mut topics = BTreeMap::<Box<str>, Tally>::new();
        for part in &opened.parts {
            part.tallies(|topic, tally| match topics.get_mut(topic) {
                Some(known) => known.add(tally),
                None => drop(topics.insert(topic.into(), *tally)),
            });
        }
        let expired = opened.manifest.get().expired.unwrap_or_default();
        Self {
            disk: opened.disk,
            dir: opened.dir,
            hasher: opened.hasher,
            index: opened.index,
            manifest: opened.manifest,
            damage: opened.damage,
            state: RwLock::new(State {
                parts: Arc::new(opened.parts),
                end_seq: opened.position.next_seq,
                counters: opened.position.totals,
                topics,
                expired,
                stopped: None,
            }),
            sealing_failed: Mutex::new(None),
            _lock: lock,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.read();
        Snapshot { parts: Arc::clone(&state.parts), end_seq: state.end_seq }
    }

    pub(super) fn counters(&self) -> Counters {
        self.read().counters
    }

    pub(super) fn topics<T>(&self, describe: impl Fn(&str, &Tally) -> T) -> Vec<T> {
        self.read().topics.iter().map(|(topic, tally)| describe(topic, tally)).collect()
    }

    pub(super) fn expired(&self) -> Expired {
        self.read().expired
    }

    pub(super) fn stopped(&self) -> Option<String> {
        self.read().stopped.clone()
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

    /// Lets readers see what has become durable.
    pub(super) fn publish(&self, position: &Position, topics: &[(&str, Tally)]) {
        let mut state = self.write();
        state.end_seq = position.next_seq;
        state.counters = position.totals;
        for (topic, tally) in topics {
            match state.topics.get_mut(*topic) {
                Some(known) => known.add(tally),
                None => drop(state.topics.insert((*topic).into(), *tally)),
            }
        }
    }

    /// Lets readers see a new file, empty yet.
    pub(super) fn add_file(&self, file: Arc<LogFile>) {
        Arc::make_mut(&mut self.write().parts).push(Part::Log(file));
    }

    /// Lets readers see a segment in the place of some parts, or nothing if those had no events.
    pub(super) fn replace(&self, old: &[Part], segment: Option<Arc<Segment>>) {
        self.write().replace(old, segment);
    }

    /// Lets readers see what is left of a segment, and the counts of these topics without what is not.
    pub(super) fn expire(
        &self,
        old: &Arc<Segment>,
        rest: Option<Arc<Segment>>,
        topics: &BTreeSet<Box<str>>,
        expired: &Expired,
    ) {
        let mut state = self.write();
        state.replace(&[Part::Segment(Arc::clone(old))], rest);
        state.expired.add(expired);
        for (topic, gone) in old.tallies().filter(|(topic, _)| topics.contains(*topic)) {
            state.shrink(topic, &gone);
        }
    }

    /// Notes for good that seqs are lost, so that what is published again in their place is never joined by what may yet
    /// be readable of them.
    pub(super) fn lose(&self, damage: Damage) {
        if self.damage.covers(damage.first_seq) && self.damage.covers(damage.last_seq) {
            return;
        }
        self.damage.report(damage.clone());
        // If it cannot be written, the next start finds the damage as this read did.
        let _ = self.manifest.update(|manifest| manifest.lose(&damage));
    }

    /// Notes for good that what is lost is no longer news.
    pub(super) fn accept_damage(&self) -> Result<usize> {
        let open = self.damage.open();
        self.manifest.update(|manifest| {
            open.iter().for_each(|damage| manifest.lose(damage));
            manifest.lost.iter_mut().for_each(|lost| lost.accepted = true);
        })?;
        self.damage.accept();
        Ok(open.len())
    }

    /// Takes no more commits from now on, and says why.
    pub(super) fn stop(&self, error: &Error) -> Error {
        let reason = error.describe();
        self.write().stopped = Some(reason.clone());
        Error::Stopped(reason)
    }

    /// Notes that everything before `position` has been synced.
    pub(super) fn note_durable(&self, position: &Position) {
        if position.next_commit > 1 {
            self.manifest.note_durable(LogPlace::from(position));
        }
    }

    /// The error itself, but [`Error::StorageFull`] where it comes of that.
    pub(super) fn told_apart(&self, error: Error) -> Error {
        match self.disk.available_bytes(&self.dir) {
            Ok(available) if error.is_full() => Error::StorageFull { available, needed: FREE_BYTES_MIN },
            _ => error,
        }
    }

    /// # Errors
    /// [`Error::StorageFull`] where fewer than `needed` bytes are free.
    pub(super) fn check_space(&self, needed: u64) -> Result<()> {
        disk::check_space(&*self.disk, &self.dir, needed)
    }

    /// Whether the event that had this seq has expired.
    pub(super) fn has_expired(&self, seq: u64) -> Result<bool> {
        if seq > self.expired().last_seq {
            return Ok(false);
        }
        let is_there = self.read_one(Topics::All, seq)?.is_some();
        // What the read may have found to be lost has not expired.
        Ok(!is_there && !self.damage.covers(seq))
    }

    /// The stored event of `topic` with this seq; `None` where there is none, or where it is lost to damage, which is
    /// reported.
    pub(super) fn read_row(&self, topic: &str, seq: u64) -> Result<Option<StoredEvent>> {
        self.read_one(Topics::One(topic), seq)
    }

    fn read_one(&self, topics: Topics<'_>, seq: u64) -> Result<Option<StoredEvent>> {
        let Snapshot { parts, .. } = self.snapshot();
        let timestamps_ns = i64::MIN..=i64::MAX;
        let need = Need { topics, timestamps_ns, from: seq, to: seq + 1, order: Order::Ascending };
        let after = parts.partition_point(|part| part.first_seq() <= seq);
        let Some(part) = after.checked_sub(1).and_then(|at| parts.get(at)) else { return Ok(None) };
        let Some(piece) = part.next_piece(&need) else { return Ok(None) };
        let (mut found, _) = part.read(&piece, &need, 1, self)?;
        Ok(found.next())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
