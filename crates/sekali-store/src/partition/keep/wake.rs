//! How the thread of a sealer, commits that wait for it, and its owner wake each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes the threads that wait for a change.
#[derive(Debug, Default)]
pub(super) struct Wake {
    closing: AtomicBool,
    changed: Condvar,
    waiting: Mutex<()>,
}

impl Wake {
    /// Wakes every thread that waits.
    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Ends the thread of the sealer.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.notify();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Waits for a change, for at most `at_most`, unless the sealer is to end.
    pub(super) fn wait(&self, at_most: Duration) {
        let guard = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_closing() {
            drop(self.changed.wait_timeout(guard, at_most));
        }
    }

    /// Waits until `poll` returns something; it is asked at every change, and at least once in
    /// `interval`.
    pub(super) fn wait_for<T>(&self, interval: Duration, mut poll: impl FnMut() -> Option<T>) -> T {
        let mut guard = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = poll() {
                return found;
            }
            guard = self.changed.wait_timeout(guard, interval).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
