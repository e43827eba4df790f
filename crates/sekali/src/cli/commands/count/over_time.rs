//! Counts over time, also where one event lies years from all others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cli::answer::parse;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use sekali_client::{Client, ClientError, EventsFilter};
use sekali_wire::timestamp::{Timestamp, parse_timestamp};

/// The longest interval that the server takes, in seconds.
pub(super) const INTERVAL_S_MAX: i64 = 366 * 86_400;
/// Lengths by which time is divided where it is too long to be divided by the interval, in seconds.
const STEPS_S: [i64; 3] = [INTERVAL_S_MAX, 86_400, 3_600];
/// Most intervals that the server divides a time into.
const INTERVALS_MAX: i64 = 10_000;
/// Most requests for one count: each of them reads events.
const REQUESTS_MAX: u32 = 64;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// The server's answer to `GET /events/count`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Count {
    pub(super) count: u64,
    #[serde(default)]
    pub(super) interval_seconds: u64,
    #[serde(default)]
    pub(super) buckets: Vec<Bucket>,
}

/// The events of one interval.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) start: Timestamp,
    pub(super) count: u64,
}

/// Whether the server refused a count since the events are too far apart for its interval.
pub(super) fn is_too_long(error: &ClientError) -> bool {
    let ClientError::Refused(refusal) = error else { return false };
    refusal.message.starts_with("parameter `interval`")
}

/// Counts the intervals that have events: long ones first, and within those that are not empty
/// shorter ones.
pub(super) async fn count_sparsely(client: &Client, filter: &EventsFilter, interval_s: i64) -> Result<Count, Failure> {
    let mut sparse = Sparse { client, filter, interval_s, requests: 0, found: BTreeMap::new() };
    let bound = |name: &str| {
        let value = filter.parameters.iter().find(|(parameter, _)| parameter == name);
        value.and_then(|(_, time)| parse_timestamp(time).ok())
    };
    let mut spans = vec![Span { since_ns: bound("since"), until_ns: bound("until"), level: 0 }];
    while let Some(span) = spans.pop() {
        spans.extend(sparse.count(span).await?);
    }
    let buckets = sparse.found.into_iter().map(|(start_ns, count)| Bucket { start: Timestamp(start_ns), count });
    let buckets: Vec<_> = buckets.collect();
    let count = buckets.iter().map(|bucket| bucket.count).sum();
    Ok(Count { count, interval_seconds: interval_s.unsigned_abs(), buckets })
}

/// A time that is still to be counted, in nanoseconds since 1970.
struct Span {
    since_ns: Option<i64>,
    until_ns: Option<i64>,
    /// The step that it is divided by, unless it is short enough for the interval.
    level: usize,
}

struct Sparse<'a> {
    client: &'a Client,
    filter: &'a EventsFilter,
    interval_s: i64,
    requests: u32,
    /// Counts by the start of their interval.
    found: BTreeMap<i64, u64>,
}

impl Sparse<'_> {
    /// Counts a span, by the interval or by a step. Returns the spans that are left to count.
    async fn count(&mut self, span: Span) -> Result<Vec<Span>, Failure> {
        self.requests += 1;
        if self.requests > REQUESTS_MAX {
            let message = "the events are spread over too many intervals: take a longer --interval, or a shorter time \
                           with --since and --until";
            return Err(Failure::new(Exit::Refused, message));
        }
        let step_s = match (span.since_ns, span.until_ns) {
            (Some(since_ns), Some(until_ns)) if self.divides(until_ns.saturating_sub(since_ns)) => self.interval_s,
            _ => STEPS_S.get(span.level).copied().filter(|&step_s| step_s > self.interval_s).unwrap_or(self.interval_s),
        };
        let filter = self.within(&span);
        let answer = self.client.count(&filter, Some(&format!("{step_s}s"))).await?;
        let counted: Count = parse(answer.get())?;
        let mut left = Vec::new();
        for Bucket { start: Timestamp(start_ns), count } in
            counted.buckets.into_iter().filter(|bucket| bucket.count > 0)
        {
            if step_s == self.interval_s {
                *self.found.entry(start_ns).or_default() += count;
                continue;
            }
            let end_ns = start_ns.checked_add(step_s * NS_PER_SECOND);
            left.push(Span {
                since_ns: span.since_ns.max(Some(start_ns)),
                until_ns: span.until_ns.into_iter().chain(end_ns).min(),
                level: span.level + 1,
            });
        }
        Ok(left)
    }

    /// Whether a span is short enough to be divided by the interval.
    fn divides(&self, length_ns: i64) -> bool {
        length_ns / NS_PER_SECOND / self.interval_s < INTERVALS_MAX - 1
    }

    fn within(&self, span: &Span) -> EventsFilter {
        let others = self.filter.parameters.iter().filter(|(name, _)| name != "since" && name != "until");
        let mut filter = EventsFilter { parameters: others.cloned().collect() };
        for (name, bound) in [("since", span.since_ns), ("until", span.until_ns)] {
            if let Some(ns) = bound {
                filter.parameters.push((name.to_owned(), Timestamp(ns).to_string()));
            }
        }
        filter
    }
}
