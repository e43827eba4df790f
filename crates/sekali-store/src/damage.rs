//! Damage to stored data, by its exact place.

use std::fmt;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

/// Events that were stored and cannot be read. Their keys are unknown, so publishing them again stores them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, or the one behind the gap where a file is missing.
    pub path: PathBuf,
    /// Where in the file the damaged bytes begin.
    pub offset: u64,
    /// The first event lost.
    pub first_seq: u64,
    /// The last event lost; below `first_seq` where no event is lost, but a commit's counts are.
    pub last_seq: u64,
}

impl Damage {
    fn covers(&self, seq: u64) -> bool {
        (self.first_seq..=self.last_seq).contains(&seq)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: ", self.path.display(), self.offset)?;
        match (self.first_seq, self.last_seq) {
            (first, last) if last < first => f.write_str("a commit is unreadable, no event is lost"),
            (first, last) if first == last => write!(f, "event with seq {first} is lost; publish it again"),
            (first, last) => write!(f, "events with seq {first} to {last} are lost; publish them again"),
        }
    }
}

/// Everything known to be damaged in a partition.
#[derive(Debug, Default)]
pub(crate) struct DamageList(RwLock<Vec<Damage>>);

impl DamageList {
    pub(crate) fn new(list: Vec<Damage>) -> Self {
        Self(RwLock::new(list))
    }

    pub(crate) fn to_vec(&self) -> Vec<Damage> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether `seq` is known to be lost.
    pub(crate) fn covers(&self, seq: u64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|damage| damage.covers(seq))
    }

    /// Adds what a read found, once.
    pub(crate) fn report(&self, found: Damage) {
        if self.covers(found.first_seq) && self.covers(found.last_seq) {
            return;
        }
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !list.contains(&found) {
            list.push(found);
        }
    }
}
