//! How far the scrub has come: see [`sekali_store::Scrubber`].

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sekali_store::Scrubbed;

/// The progress of the scrub, shared by its task and the readers of `/stats`.
#[derive(Debug, Default)]
pub struct ScrubStatus(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    summary: ScrubSummary,
    /// The damage that was reported already.
    told: BTreeSet<String>,
}

/// The scrub at a glance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubSummary {
    /// When everything had been read the last time since the start: nanoseconds since
    /// 1970-01-01T00:00:00Z.
    pub last_finished_ns: Option<i64>,
    /// Bytes that were read then.
    pub last_bytes: u64,
    /// Bytes read since.
    pub pass_bytes: u64,
    /// Files that were damaged and have been written anew since the start.
    pub mended: u64,
}

impl ScrubStatus {
    /// How it does.
    pub fn summary(&self) -> ScrubSummary {
        self.lock().summary
    }

    /// Notes a step.
    pub(crate) fn read(&self, scrubbed: &Scrubbed) {
        let summary = &mut self.lock().summary;
        summary.pass_bytes += scrubbed.bytes;
        summary.mended += scrubbed.mended.len() as u64;
    }

    /// Notes that everything was read.
    pub(crate) fn finish(&self, now_ns: i64) {
        let summary = &mut self.lock().summary;
        (summary.last_finished_ns, summary.last_bytes) = (Some(now_ns), std::mem::take(&mut summary.pass_bytes));
    }

    /// The part of `found` that is new since the last call.
    pub(crate) fn news(&self, found: BTreeSet<String>) -> Vec<String> {
        let told = &mut self.lock().told;
        let news = found.difference(told).cloned().collect();
        *told = found;
        news
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
