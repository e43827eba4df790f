//! The counters of the last quarter of an hour, so that a page has something to show at once, and
//! how long requests waited for the disk in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sekali_store::{Counters, Reader};

use super::latency::{Acknowledged, Latencies, LatencyCounts};
use crate::clock::now_ns;
use crate::limits::{HISTORY_INTERVAL, HISTORY_INTERVALS_MAX};

/// The counters at the begin of an interval.
#[derive(Debug)]
struct Sample {
    start_ns: i64,
    counters: Counters,
    latencies: LatencyCounts,
}

/// Counters at the begins of the last intervals. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    samples: Arc<Mutex<VecDeque<Sample>>>,
    latencies: Arc<Latencies>,
}

/// Counts of one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CountedInterval {
    /// Its begin, a whole multiple of [`HISTORY_INTERVAL`] since 1970.
    pub(crate) start_ns: i64,
    pub(crate) stored: u64,
    /// Conflicts included.
    pub(crate) duplicates: u64,
    pub(crate) conflicts: u64,
}

impl History {
    /// The intervals, oldest first; the last one is not over yet. `now` are the counters now.
    pub(super) fn intervals(&self, now: Counters) -> Vec<CountedInterval> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = samples.iter().skip(1).map(|sample| sample.counters).chain([now]);
        samples.iter().zip(ends).map(|(sample, end)| difference(sample, &end)).collect()
    }

    /// Notes how long a request waited.
    pub(super) fn acknowledged(&self, waited: Duration) {
        self.latencies.record(waited);
    }

    /// How long requests waited in all of the intervals.
    pub(super) fn latency(&self) -> Option<Acknowledged> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.front().and_then(|first| self.latencies.counts().since(&first.latencies))
    }

    /// Notes the counters at `now_ns`, once an interval. A clock that was set back changes nothing
    /// until it is where it was.
    fn note(&self, now_ns: i64, counters: Counters) {
        let start_ns = now_ns - now_ns.rem_euclid(INTERVAL_NS);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.back().is_some_and(|last| last.start_ns >= start_ns) {
            return;
        }
        samples.push_back(Sample { start_ns, counters, latencies: self.latencies.counts() });
        if samples.len() > HISTORY_INTERVALS_MAX {
            samples.pop_front();
        }
    }

    /// Notes the counters until it is aborted.
    pub(super) async fn run(self, readers: Arc<[Reader]>) {
        loop {
            let now_ns = now_ns();
            let counters = readers.iter().map(Reader::counters).fold(Counters::default(), |sum, part| sum + part);
            self.note(now_ns, counters);
            let left_ns = INTERVAL_NS - now_ns.rem_euclid(INTERVAL_NS);
            tokio::time::sleep(Duration::from_nanos(left_ns.unsigned_abs())).await;
        }
    }
}

const INTERVAL_NS: i64 = HISTORY_INTERVAL.as_nanos() as i64;

/// Counters only grow, and each is read on its own: a later one may be read before an earlier one.
fn difference(from: &Sample, to: &Counters) -> CountedInterval {
    CountedInterval {
        start_ns: from.start_ns,
        stored: to.stored.saturating_sub(from.counters.stored),
        duplicates: to.duplicates.saturating_sub(from.counters.duplicates),
        conflicts: to.conflicts.saturating_sub(from.counters.conflicts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(stored: u64) -> Counters {
        Counters { received: stored, stored, ..Counters::default() }
    }

    #[test]
    fn intervals_have_what_was_counted_in_them() {
        let history = History::default();
        history.note(INTERVAL_NS * 5 + 3, counters(10));
        history.note(INTERVAL_NS * 5 + 9, counters(12));
        history.note(INTERVAL_NS * 6, counters(15));
        let intervals = history.intervals(counters(18));
        let found: Vec<_> =
            intervals.iter().map(|interval| (interval.start_ns / INTERVAL_NS, interval.stored)).collect();
        assert_eq!(found, [(5, 5), (6, 3)]);
    }

    #[test]
    fn old_intervals_and_clocks_set_back_are_forgotten() {
        let history = History::default();
        for number in 0..1_000 {
            history.note(INTERVAL_NS * number, counters(number.unsigned_abs()));
        }
        history.note(INTERVAL_NS * 3, counters(2_000));
        let intervals = history.intervals(counters(2_000));
        assert_eq!(intervals.len(), HISTORY_INTERVALS_MAX);
        assert_eq!(intervals.last().map(|interval| interval.start_ns), Some(INTERVAL_NS * 999));
        assert!(intervals.iter().rev().skip(1).all(|interval| interval.stored == 1));
    }
}
