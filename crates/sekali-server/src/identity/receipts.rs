//! The answers of a connection, until it is known that its client has read them.
//!
//! A further request on the connection is the proof, and so is an end in order: TCP resets a
//! connection that is closed with unread bytes. Everything else leaves the requests in doubt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::RequestTurn;

/// The unproven answers of a connection. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Receipts {
    unproven: Arc<Mutex<Vec<RequestTurn>>>,
}

impl Receipts {
    /// A request was answered, and its events are stored.
    pub(crate) fn answered(&self, turn: RequestTurn) {
        self.lock().push(turn);
    }

    /// Another request came, or the connection ended in order: all answers so far were read.
    pub(crate) fn prove(&self) {
        let proven = std::mem::take(&mut *self.lock());
        proven.into_iter().for_each(RequestTurn::confirm);
    }

    /// Nothing panics while this is held.
    fn lock(&self) -> MutexGuard<'_, Vec<RequestTurn>> {
        self.unproven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
