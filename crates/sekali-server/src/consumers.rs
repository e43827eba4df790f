//! Durable consumers: named positions among the events of a query, kept until they are deleted.
//!
//! All of them are in memory, and in one file that is replaced as a whole. Changes that come
//! together share a replacement, so that a thousand acknowledgements a second cost as many syncs as
//! the disk can do. What was answered is durable. Knows no HTTP.

mod consumer;
mod error;
mod file;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sekali_store::Reader;
use sekali_store::disk::Disk;
use sekali_wire::timestamp::Timestamp;

use crate::limits::CONSUMERS_MAX;
use crate::query::Positions;
pub(crate) use consumer::{Consumer, NewConsumer};
pub(crate) use error::ConsumerError;
pub use error::ConsumersFileError;
pub use file::ConsumersFile;

/// The consumers of a store. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct Consumers {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// `None` keeps them in memory only.
    file: Option<ConsumersFile>,
    state: Mutex<State>,
    /// Held by the task that replaces the file.
    writing: tokio::sync::Mutex<()>,
    /// The version of the state that is in the file.
    durable: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// Counts changes.
    version: u64,
    consumers: BTreeMap<String, Consumer>,
}

impl Consumers {
    /// Reads the consumers of the store in `dir`, of which there may be none. Blocks.
    ///
    /// # Errors
    /// The file is damaged, of a newer version, or cannot be read.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, ConsumersFileError> {
        let file = ConsumersFile::new(disk, dir);
        let consumers = file.read()?.into_iter().map(|consumer| (consumer.name.clone(), consumer)).collect();
        let state = Mutex::new(State { version: 0, consumers });
        Ok(Self { shared: Arc::new(Shared { file: Some(file), state, ..Shared::default() }) })
    }

    /// Takes back positions behind the last event: the store has lost its end, or is an older one,
    /// and other events will come in these places.
    pub(crate) fn take_back(&self, readers: &[Reader]) {
        let last_seqs: Vec<_> = readers.iter().map(Reader::last_seq).collect();
        for consumer in self.lock().consumers.values_mut() {
            consumer.positions.retain(|(partition, _)| (*partition as usize) < last_seqs.len());
            for (partition, seq) in &mut consumer.positions {
                *seq = last_seqs.get(*partition as usize).map_or(0, |last| *last.min(seq));
            }
        }
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> Vec<Consumer> {
        self.lock().consumers.values().cloned().collect()
    }

    /// The one with this name.
    pub(crate) fn get(&self, name: &str) -> Option<Consumer> {
        self.lock().consumers.get(name).cloned()
    }

    /// Makes a consumer, or gives the one of this name other filters. Returns it, and whether it is
    /// new.
    ///
    /// # Errors
    /// [`ConsumerError::TooMany`], [`ConsumerError::Io`].
    pub(crate) async fn put(&self, new: NewConsumer, now: Timestamp) -> Result<(Consumer, bool), ConsumerError> {
        let changed = self.change(|consumers| {
            if let Some(known) = consumers.get_mut(&new.name) {
                let is_same = known.filters == new.filters;
                known.filters.clone_from(&new.filters);
                return Ok(((known.clone(), false), !is_same));
            }
            // A client may make as many as are still free, so that there is room for others.
            let own = consumers.values().filter(|known| known.maker == new.maker).count();
            let free = CONSUMERS_MAX.saturating_sub(consumers.len());
            if free == 0 || (new.maker.is_some() && own >= free) {
                return Err(ConsumerError::TooMany);
            }
            let made = Consumer::new(new, now);
            consumers.insert(made.name.clone(), made.clone());
            Ok(((made, true), true))
        })?;
        self.settle(changed).await
    }

    /// Moves a consumer on to `positions`.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`]: it is gone, or was made anew. [`ConsumerError::Behind`]: it was
    /// further already. [`ConsumerError::Io`].
    pub(crate) async fn acknowledge(
        &self,
        name: &str,
        made: Timestamp,
        positions: &Positions,
        now: Timestamp,
    ) -> Result<Consumer, ConsumerError> {
        let changed = self.change(|consumers| {
            let known = consumers.get_mut(name).filter(|known| known.created == made);
            let known = known.ok_or(ConsumerError::NotFound)?;
            let is_before = |(partition, seq): &(u32, u64)| {
                positions.iter().find(|(other, _)| other == partition).is_none_or(|(_, other)| other < seq)
            };
            if known.positions.iter().any(is_before) {
                return Err(ConsumerError::Behind);
            }
            let is_same = known.positions == *positions;
            known.positions.clone_from(positions);
            known.acknowledged = Some(now);
            Ok((known.clone(), !is_same))
        })?;
        self.settle(changed).await
    }

    /// Puts a consumer behind `positions`, wherever it was.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`], [`ConsumerError::Io`].
    pub(crate) async fn reset(&self, name: &str, positions: Positions) -> Result<Consumer, ConsumerError> {
        let changed = self.change(|consumers| {
            let known = consumers.get_mut(name).ok_or(ConsumerError::NotFound)?;
            known.positions = positions;
            Ok((known.clone(), true))
        })?;
        self.settle(changed).await
    }

    /// Forgets a consumer.
    ///
    /// # Errors
    /// [`ConsumerError::NotFound`], [`ConsumerError::Io`].
    pub(crate) async fn delete(&self, name: &str) -> Result<Consumer, ConsumerError> {
        let changed = self.change(|consumers| {
            let gone = consumers.remove(name).ok_or(ConsumerError::NotFound)?;
            Ok((gone, true))
        })?;
        self.settle(changed).await
    }

    /// Changes the state in memory. Returns the answer of `change` and the version that has it;
    /// `change` says as well whether anything is different.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Consumer>) -> Result<(T, bool), ConsumerError>,
    ) -> Result<(T, u64), ConsumerError> {
        let mut state = self.lock();
        let (answer, is_different) = change(&mut state.consumers)?;
        state.version += u64::from(is_different);
        Ok((answer, state.version))
    }

    /// Returns the answer once its version is in the file.
    async fn settle<T>(&self, (answer, version): (T, u64)) -> Result<T, ConsumerError> {
        let shared = &self.shared;
        let Some(file) = &shared.file else { return Ok(answer) };
        let is_durable = || shared.durable.load(Ordering::Acquire) >= version;
        if is_durable() {
            return Ok(answer);
        }
        let _turn = shared.writing.lock().await;
        // The task before may have written it with its own.
        if is_durable() {
            return Ok(answer);
        }
        let (newest, consumers) = {
            let state = self.lock();
            (state.version, state.consumers.values().cloned().collect::<Vec<_>>())
        };
        let file = file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&consumers)).await;
        written.map_err(std::io::Error::other).and_then(|written| written).map_err(ConsumerError::Io)?;
        shared.durable.store(newest, Ordering::Release);
        Ok(answer)
    }

    /// Nothing panics while this is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
