//! Whether commits are still made.

use std::sync::Arc;

use tokio::sync::watch;

/// Why commits have stopped, if they have. They never start again.
#[derive(Debug, Default)]
pub(super) struct Health {
    stopped: watch::Sender<Option<Arc<str>>>,
}

impl Health {
    /// Notes that there are no more commits. The first reason stays; returns whether this was the
    /// first.
    pub(super) fn stop(&self, reason: &str) -> bool {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            if first {
                *stopped = Some(reason.into());
            }
            first
        })
    }

    /// The reason.
    pub(super) fn stopped(&self) -> Option<Arc<str>> {
        self.stopped.borrow().clone()
    }

    /// Waits for the reason.
    pub(super) async fn until_stopped(&self) -> Arc<str> {
        let mut stopped = self.stopped.subscribe();
        let reason = stopped.wait_for(Option::is_some).await.map(|reason| reason.clone());
        match reason {
            Ok(Some(reason)) => reason,
            // Unreachable: the wait ends with a reason, and the sender is borrowed here and lives
            // on.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}
