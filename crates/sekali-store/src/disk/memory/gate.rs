//! Where syncs can be made to wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Open, unless a test closes it.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    waiting: usize,
}

impl Gate {
    pub(super) fn set_closed(&self, is_closed: bool) {
        self.lock().is_closed = is_closed;
        self.changed.notify_all();
    }

    /// Waits while it is closed.
    pub(super) fn pass(&self) {
        let mut state = self.lock();
        state.waiting += 1;
        self.changed.notify_all();
        let mut state = self.wait(state, |state| state.is_closed);
        state.waiting -= 1;
    }

    /// Waits until somebody waits.
    pub(super) fn until_somebody_waits(&self) {
        drop(self.wait(self.lock(), |state| state.waiting == 0));
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, GateState>,
        until_not: impl Fn(&GateState) -> bool,
    ) -> MutexGuard<'a, GateState> {
        self.changed.wait_while(state, |state| until_not(state)).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
