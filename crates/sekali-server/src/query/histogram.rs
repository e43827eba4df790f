//! A count over time, in bounded memory.

use std::collections::BTreeMap;

use thiserror::Error;

use super::interval::Interval;
use crate::limits::BUCKETS_MAX;

/// How many events happened in each interval.
#[derive(Debug)]
pub struct Histogram {
    interval: Interval,
    /// The first and last interval, once there is one.
    range: Option<(i64, i64)>,
    counts: BTreeMap<i64, u64>,
    /// All timestamps that there may be, for the advice of an error.
    extent: Option<(i64, i64)>,
}

/// It would take more than [`BUCKETS_MAX`] intervals.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "divides the time asked for into more than {BUCKETS_MAX} intervals; {fitting} would fit, or a shorter time by `since` and `until`"
)]
pub struct TooManyIntervals {
    /// An interval that divides the time into few enough.
    pub fitting: Interval,
}

impl Histogram {
    /// An empty histogram. It spans `since` to `until` where they are given, with or without
    /// events. The timestamps of all events are within `extent`.
    ///
    /// # Errors
    /// That alone takes too many intervals.
    pub fn new(
        interval: Interval,
        since: Option<i64>,
        until: Option<i64>,
        extent: Option<(i64, i64)>,
    ) -> Result<Self, TooManyIntervals> {
        let mut histogram = Self { interval, range: None, counts: BTreeMap::new(), extent };
        if since.is_some() && since == until {
            return Ok(histogram);
        }
        // `until` itself is not asked for.
        let last = until.map(|until| until.saturating_sub(1));
        for bound in [since, last].into_iter().flatten() {
            histogram.reach(interval.number_of(bound))?;
        }
        Ok(histogram)
    }

    /// Counts an event. Returns the number of its interval.
    ///
    /// # Errors
    /// It is so far from the others that it takes too many intervals.
    pub fn add(&mut self, timestamp_ns: i64) -> Result<i64, TooManyIntervals> {
        let number = self.interval.number_of(timestamp_ns);
        self.add_many(number, 1)?;
        Ok(number)
    }

    /// Counts so many events of the interval of this number.
    ///
    /// # Errors
    /// As [`Histogram::add`].
    pub(super) fn add_many(&mut self, number: i64, count: u64) -> Result<(), TooManyIntervals> {
        self.reach(number)?;
        *self.counts.entry(number).or_default() += count;
        Ok(())
    }

    /// The length of its intervals.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The start and count of every interval from the first to the last, empty ones included.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, u64)> {
        self.numbers().map(|number| (self.interval.start_of(number), self.counts.get(&number).copied().unwrap_or(0)))
    }

    /// The number of every interval from the first to the last.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + use<> {
        self.range.into_iter().flat_map(|(first, last)| first..=last)
    }

    fn reach(&mut self, number: i64) -> Result<(), TooManyIntervals> {
        let (first, last) = self.range.map_or((number, number), |(first, last)| (first.min(number), last.max(number)));
        if last.abs_diff(first) >= BUCKETS_MAX {
            let (first, last) = (self.interval.start_of(first), self.interval.start_of(last));
            let (first, last) = self.extent.map_or((first, last), |(from, to)| (first.min(from), last.max(to)));
            return Err(TooManyIntervals { fitting: Interval::dividing(first, last, BUCKETS_MAX) });
        }
        self.range = Some((first, last));
        Ok(())
    }
}
