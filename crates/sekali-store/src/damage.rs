//! Damage to stored data, by its exact place.
//!
//! Where a header of the log is unreadable and all events behind it are there, or there are none,
//! nothing is lost: that is a [`Damage`] without seqs, which keeps the file from being removed and
//! is shown as a flaw as long as the file is in the log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Events that were stored and cannot be read. Their keys are unknown, so publishing them again
/// stores them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file, or the one behind the gap where a file is missing.
    pub path: PathBuf,
    /// Where in the file the damaged bytes begin.
    pub offset: u64,
    /// The first event lost.
    pub first_seq: u64,
    /// The last event lost.
    pub last_seq: u64,
}

impl Damage {
    fn costs_events(&self) -> bool {
        self.first_seq <= self.last_seq
    }

    fn covers(&self, seq: u64) -> bool {
        (self.first_seq..=self.last_seq).contains(&seq)
    }

    /// Whether `other` is no news where this is known.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.first_seq <= other.first_seq && other.last_seq <= self.last_seq
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: ", self.path.display(), self.offset)?;
        match (self.first_seq, self.last_seq) {
            (first, last) if last < first => f.write_str("a header is unreadable, no event is lost"),
            (first, last) if first == last => write!(f, "event with seq {first} is lost; publish it again"),
            (first, last) => write!(f, "events with seq {first} to {last} are lost; publish them again"),
        }
    }
}

/// Everything known to be damaged in a partition.
#[derive(Debug, Default)]
pub(crate) struct DamageList(RwLock<Lists>);

#[derive(Debug, Default)]
struct Lists {
    open: Vec<Damage>,
    /// What an operator has accepted: lost all the same, but no longer news.
    accepted: Vec<Damage>,
    /// What else is damaged and costs no event, with the number of the scrub that saw it last.
    flaws: Vec<(String, u64)>,
    scrubs: u64,
}

impl DamageList {
    pub(crate) fn new(open: Vec<Damage>, accepted: Vec<Damage>) -> Self {
        Self(RwLock::new(Lists { open, accepted, ..Lists::default() }))
    }

    /// Lost events that nobody has accepted as lost.
    pub(crate) fn to_vec(&self) -> Vec<Damage> {
        self.read().open.iter().filter(|damage| damage.costs_events()).cloned().collect()
    }

    /// Everything that nobody has accepted, with or without seqs.
    pub(crate) fn open(&self) -> Vec<Damage> {
        self.read().open.clone()
    }

    /// Whether nothing was ever found damaged, accepted or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.read().all().next().is_none()
    }

    /// Whether any of it is in this file.
    pub(crate) fn is_in(&self, path: &Path) -> bool {
        self.read().all().any(|damage| damage.path == path)
    }

    /// Whether `seq` is known to be lost.
    pub(crate) fn covers(&self, seq: u64) -> bool {
        self.read().all().any(|damage| damage.covers(seq))
    }

    /// Adds what a read found, once.
    pub(crate) fn report(&self, found: Damage) {
        if self.covers(found.first_seq) && self.covers(found.last_seq) {
            return;
        }
        let mut lists = self.write();
        if !lists.all().any(|known| known.includes(&found)) {
            lists.open.push(found);
        }
    }

    /// The file at `path` has left the log: what of it costs no event is no longer told.
    pub(crate) fn leave(&self, path: &Path) {
        self.write().open.retain(|damage| damage.costs_events() || damage.path != path);
    }

    /// Takes everything that is known for accepted.
    pub(crate) fn accept(&self) {
        let mut lists = self.write();
        let open = std::mem::take(&mut lists.open);
        lists.accepted.extend(open);
    }

    /// What is damaged and costs no event.
    pub(crate) fn flaws(&self) -> Vec<String> {
        let lists = self.read();
        let headers = lists.open.iter().filter(|damage| !damage.costs_events()).map(Damage::to_string);
        lists.flaws.iter().map(|(what, _)| what.clone()).chain(headers).collect()
    }

    /// Adds what a scrub found, once.
    pub(crate) fn report_flaw(&self, what: String) {
        let mut lists = self.write();
        let scrub = lists.scrubs;
        match lists.flaws.iter_mut().find(|(known, _)| *known == what) {
            Some((_, seen)) => *seen = scrub,
            None => lists.flaws.push((what, scrub)),
        }
    }

    /// Ends a scrub: flaws that it has not seen are no more.
    pub(crate) fn end_scrub(&self) {
        let mut lists = self.write();
        let scrub = lists.scrubs;
        lists.flaws.retain(|(_, seen)| *seen == scrub);
        lists.scrubs += 1;
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn all(&self) -> impl Iterator<Item = &Damage> {
        self.open.iter().chain(&self.accepted)
    }
}
