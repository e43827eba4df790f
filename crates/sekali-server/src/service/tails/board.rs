//! Where committers and clients leave word for the hub.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sekali_store::CommitListener;
use tokio::sync::oneshot;

use super::Tail;
use crate::limits::TAIL_TOPICS_MAX;

/// Word for the hub. The lock is held for moments only: commits wait for it.
pub(super) struct Board {
    word: Mutex<Word>,
    changed: Condvar,
    /// Whether there are tails. Without any, commits leave no word, and take no lock.
    is_listening: AtomicBool,
}

/// The word that was left since the hub took it last.
#[derive(Default)]
pub(super) struct Word {
    /// The last durable seq of each partition, as far as commits have told.
    pub(super) last_seqs: Vec<u64>,
    pub(super) topics: NewTopics,
    /// Tails that want to wait.
    pub(super) joining: Vec<Waiting>,
    /// Whether all tails are to end.
    pub(super) is_closed: bool,
    has_commits: bool,
}

/// A tail among the live ones.
pub(super) struct Waiting {
    pub(super) tail: Tail,
    /// The way back to its task.
    pub(super) back: oneshot::Sender<Tail>,
}

/// The topics of commits.
#[derive(Debug, Default)]
pub(super) struct NewTopics {
    names: HashSet<Box<str>>,
    /// Whether there may be others.
    are_many: bool,
}

/// Leaves word of the commits of a partition.
pub(super) struct BoardListener {
    partition: usize,
    board: Arc<Board>,
}

impl Board {
    /// That of a store with so many partitions.
    pub(super) fn new(partitions: usize) -> Self {
        let word = Word { last_seqs: vec![0; partitions], ..Word::default() };
        Self { word: Mutex::new(word), changed: Condvar::new(), is_listening: AtomicBool::new(false) }
    }

    /// Has the hub take in a tail. The receiver gets it back, or an error where it has ended.
    pub(super) fn join(&self, tail: Tail) -> oneshot::Receiver<Tail> {
        let (back, returned) = oneshot::channel();
        let mut word = self.lock();
        if !word.is_closed {
            // Before the hub looks how far the partitions are: it is told of what comes later.
            self.is_listening.store(true, Ordering::SeqCst);
            word.joining.push(Waiting { tail, back });
            drop(word);
            self.changed.notify_one();
        }
        returned
    }

    /// Has the hub end.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Takes the word that was left, once there is any, or at `until`. A hub `without_tails` is
    /// told of no commits from now on.
    pub(super) fn take(&self, until: Option<Instant>, without_tails: bool) -> Word {
        let mut word = self.lock();
        if without_tails && word.joining.is_empty() {
            self.is_listening.store(false, Ordering::SeqCst);
            (word.topics, word.has_commits) = (NewTopics::default(), false);
        }
        while !word.has_commits && word.joining.is_empty() && !word.is_closed {
            let Some(until) = until else {
                word = self.changed.wait(word).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (word, _) = self.changed.wait_timeout(word, left).unwrap_or_else(PoisonError::into_inner);
        }
        let (last_seqs, is_closed) = (word.last_seqs.clone(), word.is_closed);
        std::mem::replace(&mut *word, Word { last_seqs, is_closed, ..Word::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Word> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NewTopics {
    /// All topics there may be.
    pub(super) fn all() -> Self {
        Self { are_many: true, ..Self::default() }
    }

    /// Their names; `None` if there may be others.
    pub(super) fn names(&self) -> Option<impl Iterator<Item = &str>> {
        (!self.are_many).then(|| self.names.iter().map(AsRef::as_ref))
    }

    fn add(&mut self, topic: &str) {
        if self.are_many || self.names.contains(topic) {
            return;
        }
        if self.names.len() < TAIL_TOPICS_MAX {
            self.names.insert(topic.into());
        } else {
            *self = Self::all();
        }
    }

    /// Adds those of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        if other.are_many {
            *self = other;
        } else {
            other.names.iter().for_each(|topic| self.add(topic));
        }
    }
}

impl BoardListener {
    /// That of partition `partition`.
    pub(super) fn new(partition: usize, board: Arc<Board>) -> Self {
        Self { partition, board }
    }
}

impl CommitListener for BoardListener {
    fn committed(&self, end_seq: u64, topics: &mut dyn Iterator<Item = &str>) {
        if !self.board.is_listening.load(Ordering::SeqCst) {
            return;
        }
        let mut topics = topics.peekable();
        if topics.peek().is_none() {
            // Nothing but repeats.
            return;
        }
        let mut word = self.board.lock();
        if let Some(last_seq) = word.last_seqs.get_mut(self.partition) {
            *last_seq = end_seq - 1;
        }
        topics.for_each(|topic| word.topics.add(topic));
        word.has_commits = true;
        drop(word);
        self.board.changed.notify_one();
    }
}

impl fmt::Debug for BoardListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardListener").field("partition", &self.partition).finish_non_exhaustive()
    }
}
