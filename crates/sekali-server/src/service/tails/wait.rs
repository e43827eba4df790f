//! Waiting for the next event of a query, without a stream.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::{Tail, TailPosition};
use crate::access::Lease;
use crate::query::EventQuery;
use crate::service::Service;

/// A request that waits until there is something to read.
pub(crate) struct Wait {
    /// The end of its patience.
    pub(crate) deadline: Instant,
    /// The right of its client to see anything.
    pub(crate) lease: Lease,
}

impl Wait {
    /// Waits for an event of `query` behind `position`. Returns whether one may have come; `false`
    /// where the time is over, the key of the request is, or the server is about to end.
    pub(crate) async fn for_event(&self, service: &Service, query: &Arc<EventQuery>, position: &TailPosition) -> bool {
        let tail =
            Tail { query: Arc::clone(query), position: position.clone(), output: None, lease: self.lease.clone() };
        timeout_at(self.deadline, service.tails().wait(tail)).await.is_ok_and(|tail| tail.is_some())
    }
}
