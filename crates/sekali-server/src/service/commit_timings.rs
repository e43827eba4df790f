//! Times and sizes of commits since the start.

use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the buckets of times, in seconds: a sync takes from 0.1 ms to seconds.
const SECONDS: [f64; 15] =
    [0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 4.0, 16.0];
/// Upper bounds of the buckets of sizes, in events.
const EVENTS: [f64; 9] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0];

/// Times and sizes of commits. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(crate) struct CommitTimings {
    seconds: Histogram,
    events: Histogram,
    syncs: Histogram,
}

impl CommitTimings {
    pub(crate) fn new() -> Self {
        Self { seconds: Histogram::new(SECONDS), events: Histogram::new(EVENTS), syncs: Histogram::new(SECONDS) }
    }

    /// Notes a commit of so many events that took `time` to be written and synced.
    pub(super) fn note(&self, events: usize, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
        self.events.observe(events as f64);
    }

    /// Notes a sync of a log.
    pub(crate) fn note_sync(&self, time: Duration) {
        self.syncs.observe(time.as_secs_f64());
    }

    /// The seconds of syncs of logs.
    pub(crate) fn syncs(&self) -> &Histogram {
        &self.syncs
    }

    /// The seconds from the last decision of a commit until it was on disk, its sync included.
    pub(crate) fn seconds(&self) -> &Histogram {
        &self.seconds
    }

    /// The events of a commit, repeats included.
    pub(crate) fn events(&self) -> &Histogram {
        &self.events
    }
}
