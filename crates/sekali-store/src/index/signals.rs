//! Signals between the callers and the background thread of an index.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts changes, and wakes the threads that wait for one.
#[derive(Debug, Default)]
pub(super) struct Signals {
    inner: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    raised: u64,
    closing: bool,
}

impl Signals {
    /// Wakes all waiting threads.
    pub(super) fn raise(&self) {
        self.lock().raised += 1;
        self.changed.notify_all();
    }

    /// Number of calls of [`Signals::raise`].
    pub(super) fn raised(&self) -> u64 {
        self.lock().raised
    }

    /// Ends all waiting for good.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Waits while `condition` holds. The thread that ends it calls [`Signals::raise`] afterwards.
    pub(super) fn wait_while(&self, mut condition: impl FnMut() -> bool) {
        let guard = self.lock();
        let waited = self.changed.wait_while(guard, |inner| !inner.closing && condition());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until [`Signals::raised`] is no longer `seen`, or for `at_most`.
    pub(super) fn wait_after(&self, seen: u64, at_most: Duration) {
        let guard = self.lock();
        let unchanged = |inner: &mut SignalState| !inner.closing && inner.raised == seen;
        drop(self.changed.wait_timeout_while(guard, at_most, unchanged).unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, SignalState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
