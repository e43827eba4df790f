//! How long requests waited until their events were on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets of one doubling of the time: each is about a tenth wide.
const PARTS: usize = 8;
/// From a microsecond to over an hour.
const BUCKETS: usize = 32 * PARTS;

/// Counts of requests by how long they waited. They are only added to, without a lock.
#[derive(Debug)]
pub(super) struct Latencies {
    counts: [AtomicU64; BUCKETS],
}

/// The counts at one moment.
#[derive(Debug, Clone)]
pub(super) struct LatencyCounts(Box<[u64]>);

/// Percentiles of the time until an acknowledgement, in seconds, within a tenth of the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Acknowledged {
    pub(crate) requests: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Latencies {
    pub(super) fn record(&self, waited: Duration) {
        if let Some(count) = self.counts.get(bucket(waited)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> LatencyCounts {
        LatencyCounts(self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect())
    }
}

impl LatencyCounts {
    /// Percentiles of the requests since `earlier`, if there were any.
    pub(super) fn since(&self, earlier: &Self) -> Option<Acknowledged> {
        let counts: Vec<_> = self.0.iter().zip(&earlier.0).map(|(now, earlier)| now.saturating_sub(*earlier)).collect();
        let requests = counts.iter().sum::<u64>();
        let at = |hundredths: u64| {
            let rank = (requests * hundredths).div_ceil(100);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            middle_seconds(found.unwrap_or(0))
        };
        (requests > 0).then(|| Acknowledged { requests, p50: at(50), p99: at(99) })
    }
}

fn bucket(waited: Duration) -> usize {
    let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX).clamp(1, u64::from(u32::MAX));
    let octave = micros.ilog2() as usize;
    let part = ((micros * PARTS as u64) >> octave) as usize - PARTS;
    octave * PARTS + part
}

/// The middle of a bucket.
fn middle_seconds(bucket: usize) -> f64 {
    let (octave, part) = (bucket / PARTS, bucket % PARTS);
    let width = (1_u64 << octave) as f64 / PARTS as f64;
    ((PARTS + part) as f64 + 0.5) * width / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_tenth() {
        let latencies = Latencies::default();
        let before = latencies.counts();
        assert_eq!(latencies.counts().since(&before), None);
        (1..=1_000).for_each(|milliseconds| latencies.record(Duration::from_millis(milliseconds)));
        let found = latencies.counts().since(&before).unwrap();
        assert_eq!(found.requests, 1_000);
        assert!((found.p50 / 0.5 - 1.0).abs() < 0.1 && (found.p99 / 0.99 - 1.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn every_time_has_a_bucket_and_they_rise() {
        let times = [0, 1, 2, 3, 9, 1_000, 1_000_000, u64::MAX].map(Duration::from_micros);
        let buckets = times.map(bucket);
        assert!(buckets.is_sorted() && buckets.iter().all(|bucket| *bucket < BUCKETS), "{buckets:?}");
        let earlier = Latencies::default();
        earlier.record(Duration::from_secs(9));
        let counts = earlier.counts();
        earlier.record(Duration::from_micros(100));
        let found = earlier.counts().since(&counts).unwrap();
        assert!(found.requests == 1 && found.p99 < 0.001, "{found:?}");
    }
}
