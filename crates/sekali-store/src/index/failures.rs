//! Failures of background work that have not been made good since.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// The standing failures of an index.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<FailureState>);

#[derive(Debug, Default)]
struct FailureState {
    flush: Option<(io::ErrorKind, String)>,
    merge: Option<String>,
    /// A run is damaged: merging it again would fail again.
    damaged: bool,
    /// The first broken invariant. The index does no more background work.
    broken: Option<&'static str>,
}

impl Failures {
    /// Records the outcome of writing a table, and returns it.
    pub(super) fn note_flush<T>(&self, outcome: Result<T>) -> Result<T> {
        let mut inner = self.lock();
        inner.flush = outcome.as_ref().err().map(|error| (error.kind(), error.describe()));
        inner.note_broken(&outcome);
        drop(inner);
        outcome
    }

    /// Records the outcome of a merge that has ended, and returns it.
    pub(super) fn note_merge<T>(&self, outcome: Result<T>) -> Result<T> {
        let mut inner = self.lock();
        inner.merge = outcome.as_ref().err().map(Error::describe);
        inner.damaged |= matches!(outcome, Err(Error::Damaged { .. }));
        inner.note_broken(&outcome);
        drop(inner);
        outcome
    }

    pub(super) fn flush_failed(&self) -> bool {
        let inner = self.lock();
        inner.flush.is_some() || inner.broken.is_some()
    }

    pub(super) fn merge_failed(&self) -> bool {
        self.lock().merge.is_some()
    }

    /// Whether merging has stopped until the index is opened again.
    pub(super) fn merging_is_over(&self) -> bool {
        self.lock().damaged
    }

    /// The error that keeps tables from being written, if there is one.
    pub(super) fn flush_error(&self, dir: &Path) -> Option<Error> {
        let (kind, message) = self.lock().flush.clone()?;
        let source = io::Error::new(kind, message);
        Some(Error::Io { action: "save the newest keys in", path: dir.to_owned(), source })
    }

    /// [`Error::Broken`] once an invariant was found broken.
    pub(super) fn check_invariants(&self) -> Result<()> {
        self.lock().broken.map_or(Ok(()), |what| Err(Error::Broken(what)))
    }

    pub(super) fn message(&self) -> Option<String> {
        let inner = self.lock();
        inner.flush.as_ref().map(|(_, message)| message).or(inner.merge.as_ref()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, FailureState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FailureState {
    fn note_broken<T>(&mut self, outcome: &Result<T>) {
        if let Err(Error::Broken(what)) = outcome {
            self.broken.get_or_insert(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_invariant_is_reported_from_then_on() {
        let failures = Failures::default();
        assert!(failures.note_merge(Err::<(), _>(Error::Broken("odd"))).is_err());
        failures.note_merge(Ok(())).unwrap();
        assert!(matches!(failures.check_invariants(), Err(Error::Broken("odd"))));
    }
}
