//! The handle that says which events a partition may let go.

use std::sync::Arc;

use super::expire::Expiry;
use super::wake::Wake;
use crate::partition::shared::Shared;
use crate::retention::Retention;

/// Tells a partition which events may go. Cheap to clone. The engine has no clock: whoever has one
/// says what time it is.
#[derive(Debug, Clone)]
pub struct Retainer {
    expiry: Arc<Expiry>,
    wake: Arc<Wake>,
    shared: Arc<Shared>,
}

impl Retainer {
    pub(super) fn new(expiry: Arc<Expiry>, wake: Arc<Wake>, shared: Arc<Shared>) -> Self {
        Self { expiry, wake, shared }
    }

    /// Lets go, once, what `retention` does not keep at `now_ns`, in nanoseconds since
    /// 1970-01-01T00:00:00Z. The sealer does it soon (without a thread: the next commit).
    ///
    /// The log is sealed for it, if something in it may be due soon, has waited for an hour, or
    /// takes too much: so call this every few seconds, even if everything is kept for ever.
    ///
    /// A topic's events in a segment go together: by age, when the newest event of the segment is
    /// past it; by size, the oldest segments first, until log and segments are within the limit. A
    /// segment with other topics is written anew without them. Keys stay: an expired event that is
    /// sent again is still a duplicate. Scans in progress are not disturbed.
    ///
    /// Until it is called again, commits take an event for expired that is past its age at their
    /// time, whether or not its segment is still there: see [`Outcome`](crate::Outcome).
    pub fn apply(&self, retention: Arc<Retention>, now_ns: i64) {
        self.shared.set_retention(Arc::clone(&retention));
        self.expiry.ask(retention, now_ns);
        self.wake.notify();
    }
}
