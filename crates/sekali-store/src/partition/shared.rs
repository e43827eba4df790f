//! What the writer and the readers of a partition share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::counters::Counters;
use crate::damage::DamageList;
use crate::disk::Disk;
use crate::error::{Error, IoContext, Result};
use crate::event::StoredEvent;
use crate::hash::KeyHasher;
use crate::ids::Index;
use crate::log::file::LogFile;
use crate::log::open::OpenLog;
use crate::log::outline::Tally;
use crate::log::recovery::Position;
use crate::log::writer::LogWriter;

/// Shared by the writer and all readers. The lock is held for moments only, never across I/O.
#[derive(Debug)]
pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    pub(super) hasher: KeyHasher,
    pub(super) index: Index,
    pub(super) damage: DamageList,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    files: Arc<Vec<Arc<LogFile>>>,
    /// The seq after the last event that is durable.
    end_seq: u64,
    counters: Counters,
    topics: BTreeMap<Box<str>, Tally>,
    stopped: Option<String>,
}

/// What a read sees, whatever is written meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) files: Arc<Vec<Arc<LogFile>>>,
    pub(super) end_seq: u64,
}

impl Shared {
    pub(super) fn new(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        hasher: KeyHasher,
        index: Index,
        log: OpenLog,
    ) -> (Self, LogWriter) {
        let mut topics = BTreeMap::<Box<str>, Tally>::new();
        for file in &log.files {
            for (topic, share) in &file.outline().topics {
                topics.entry(topic.clone()).or_default().add(&share.tally);
            }
        }
        let position = log.writer.position();
        let shared = Self {
            disk: Arc::clone(disk),
            dir: dir.to_owned(),
            hasher,
            index,
            damage: DamageList::new(log.damage),
            state: RwLock::new(State {
                files: Arc::new(log.files),
                end_seq: position.next_seq,
                counters: position.totals,
                topics,
                stopped: None,
            }),
        };
        (shared, log.writer)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.read();
        Snapshot { files: Arc::clone(&state.files), end_seq: state.end_seq }
    }

    pub(super) fn counters(&self) -> Counters {
        self.read().counters
    }

    pub(super) fn topics<T>(&self, describe: impl Fn(&str, &Tally) -> T) -> Vec<T> {
        self.read().topics.iter().map(|(topic, tally)| describe(topic, tally)).collect()
    }

    pub(super) fn stopped(&self) -> Option<String> {
        self.read().stopped.clone()
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
        Arc::make_mut(&mut self.write().files).push(file);
    }

    /// Takes no more commits from now on, and says why.
    pub(super) fn stop(&self, error: &Error) -> Error {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        self.write().stopped = Some(reason.clone());
        Error::Stopped(reason)
    }

    /// # Errors
    /// [`Error::StorageFull`] where fewer than `needed` bytes are free.
    pub(super) fn check_space(&self, needed: u64) -> Result<()> {
        let available = self.disk.available_bytes(&self.dir).at("ask for the free space of", &self.dir)?;
        if available < needed {
            return Err(Error::StorageFull { available, needed });
        }
        Ok(())
    }

    /// The stored event with this seq; `None` where it is lost to damage, which is reported.
    pub(super) fn read_row(&self, seq: u64) -> Result<Option<StoredEvent>> {
        let Snapshot { files, .. } = self.snapshot();
        let after = files.partition_point(|file| file.first_seq <= seq);
        let Some(file) = after.checked_sub(1).and_then(|at| files.get(at)) else { return Ok(None) };
        let span = {
            let outline = file.outline();
            outline.extent_of(seq).and_then(|number| outline.extent(number))
        };
        let Some(span) = span else { return Ok(None) };
        let mut found = None;
        file.read_extent(span, &self.damage, |at, received_at_ns, event| {
            if at == seq {
                found = Some(StoredEvent::new(seq, received_at_ns, &event));
            }
        })?;
        Ok(found)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
