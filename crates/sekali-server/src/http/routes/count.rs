//! `GET /events/count`

use sekali_store::Order;
use sekali_wire::timestamp::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::answer::{ApiError, Json, wrong_parameter};
use crate::http::event_query::parse_event_query;
use crate::http::parameters::Parameters;
use crate::http::reading::{OtherGroups, ReadSummary, by, interval, is_complete, key, names, top, within};
use crate::http::route::{Admitted, Answer};
use crate::limits::BUCKETS_AUTO_MAX;
use crate::query::{Count, CountQuery, EventQuery, Field, Groups, Histogram, Interval, QueryError, ReadExtent};
use crate::service::{TopicTotals, WantedTotals};

/// How many stored events match, by groups and over time.
pub(super) async fn count(request: Box<Admitted>) -> Answer {
    let parameters = request.parameters()?;
    let query = parse_event_query(&parameters, &request.grant)?;
    let service = &request.app.shared.service;
    let (by, top, within) = (by(&parameters)?, top(&parameters)?, within(&parameters)?);
    let interval = IntervalChoice::parse(&parameters)?;
    let known = known(&query, interval, &by, top);
    let wanted = known.unwrap_or_else(|| interval.wanted_totals(&query));
    let (query, totals) = service.totals(request.client(), query, wanted).await?;
    match known {
        None => {}
        Some(WantedTotals::Largest(_)) => return Ok(Json(by_topic(totals, &by)).into_response()),
        Some(_) => return Ok(Json(CountAnswer::plain(totals.events)).into_response()),
    }
    let histogram = interval.histogram(&query, totals.timestamps_ns)?;
    let extent = ReadExtent { order: Order::Ascending, max: u64::MAX, within };
    let (count, report) =
        service.aggregate(request.client(), query, extent, Count::new(CountQuery { by, histogram })).await?;
    let (complete, read) = (is_complete(&report), ReadSummary::from(report));
    let mut answer = CountAnswer { complete, read, ..CountAnswer::plain(count.events) };
    answer.set_groups(count.groups.as_ref(), count.histogram.as_ref(), top);
    Ok(Json(answer).into_response())
}

/// The totals of topics that are the answer, if no event must be read for it.
fn known(query: &EventQuery, interval: IntervalChoice, by: &[Field], top: usize) -> Option<WantedTotals> {
    if !matches!(interval, IntervalChoice::None) || !query.filter.is_empty() {
        return None;
    }
    match by {
        [] => Some(WantedTotals::Sums),
        [field] if field.is_topic() => Some(WantedTotals::Largest(top)),
        _ => None,
    }
}

/// The intervals that a count over time is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum IntervalChoice {
    /// No count over time.
    None,
    /// This length.
    Fixed(Interval),
    /// The length that divides the time into about so many.
    Auto(u64),
}

impl IntervalChoice {
    /// Reads `interval` and `auto`.
    ///
    /// # Errors
    /// One of them has no valid value, or both are given.
    pub(super) fn parse(parameters: &Parameters<'_>) -> Result<Self, ApiError> {
        match (interval(parameters)?, parameters.number("auto", BUCKETS_AUTO_MAX)?) {
            (Some(_), Some(_)) => Err(wrong_parameter("auto", "cannot stand beside `interval`: leave one out", &[])),
            (None, None) => Ok(Self::None),
            (Some(interval), None) => Ok(Self::Fixed(interval)),
            (None, Some(buckets)) => Ok(Self::Auto(buckets)),
        }
    }

    /// The totals of topics that its histogram needs.
    pub(super) fn wanted_totals(self, query: &EventQuery) -> WantedTotals {
        let is_bounded = query.filter.since_ns.is_some() && query.filter.until_ns.is_some();
        if is_bounded || matches!(self, Self::None) { WantedTotals::Nothing } else { WantedTotals::Sums }
    }

    /// The empty histogram. The timestamps of all events are within `extent_ns`.
    ///
    /// # Errors
    /// It has too many intervals.
    pub(super) fn histogram(
        self,
        query: &EventQuery,
        extent_ns: Option<(i64, i64)>,
    ) -> Result<Option<Histogram>, QueryError> {
        let (since, until) = (query.filter.since_ns, query.filter.until_ns);
        let interval = match self {
            Self::None => return Ok(None),
            Self::Fixed(interval) => interval,
            Self::Auto(buckets) => {
                let (first, last) = extent_ns.unwrap_or_default();
                let last = until.map_or(last, |until| until.saturating_sub(1));
                Interval::dividing(since.unwrap_or(first), last, buckets)
            }
        };
        Ok(Some(Histogram::new(interval, since, until, extent_ns)?))
    }
}

/// Counts by topic, which are known without reading.
fn by_topic(totals: TopicTotals, by: &[Field]) -> CountAnswer {
    let TopicTotals { events, topics, largest, .. } = totals;
    let listed: u64 = largest.iter().map(|(_, events)| events).sum();
    let other = OtherGroups { groups: topics - largest.len() as u64, count: events - listed };
    let group =
        |(topic, count)| GroupAnswer { key: serde_json::value::to_raw_value(&[topic]).unwrap_or_default(), count };
    let groups = largest.into_iter().map(group).collect();
    let grouped = Grouped { by: names(by), groups, other, missing: 0, exact: true, series: None };
    CountAnswer { grouped: Some(grouped), ..CountAnswer::plain(events) }
}

/// The number of events. The buckets follow each other without gaps.
#[derive(Debug, Serialize)]
struct CountAnswer {
    count: u64,
    complete: bool,
    read: ReadSummary,
    #[serde(flatten)]
    grouped: Option<Grouped>,
    #[serde(flatten)]
    over_time: Option<OverTime>,
}

#[derive(Debug, Serialize)]
struct Grouped {
    by: Vec<String>,
    groups: Vec<GroupAnswer>,
    other: OtherGroups,
    missing: u64,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Vec<Series>>,
}

#[derive(Debug, Serialize)]
struct GroupAnswer {
    key: Box<RawValue>,
    count: u64,
}

/// The counts of a group, by interval.
#[derive(Debug, Serialize)]
struct Series {
    key: Box<RawValue>,
    counts: Vec<u64>,
}

#[derive(Debug, Serialize)]
struct OverTime {
    interval_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets: Option<Vec<Bucket>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts: Option<Vec<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<u64>>,
}

#[derive(Debug, Serialize)]
struct Bucket {
    start: Timestamp,
    count: u64,
}

impl CountAnswer {
    fn plain(count: u64) -> Self {
        Self { count, complete: true, read: ReadSummary::NOTHING, grouped: None, over_time: None }
    }

    fn set_groups(&mut self, groups: Option<&Groups>, histogram: Option<&Histogram>, top: usize) {
        self.grouped = groups.map(|groups| Grouped::new(groups, histogram, top));
        self.over_time = histogram.map(|histogram| OverTime::new(histogram, groups.is_some()));
    }
}

impl Grouped {
    fn new(groups: &Groups, histogram: Option<&Histogram>, top: usize) -> Self {
        let listed = groups.top(top);
        let other = OtherGroups::new(groups, &listed);
        let series = histogram.map(|histogram| {
            let counts = |group| histogram.numbers().map(|number| groups.cell(group, number)).collect();
            listed.iter().map(|group| Series { key: key(group), counts: counts(group) }).collect()
        });
        Self {
            by: names(groups.fields()),
            groups: listed.iter().map(|group| GroupAnswer { key: key(group), count: group.count }).collect(),
            other,
            missing: groups.missing(),
            exact: groups.is_exact(),
            series,
        }
    }
}

impl OverTime {
    /// Intervals with their counts; as two lists where the counts of groups stand beside them.
    fn new(histogram: &Histogram, beside_groups: bool) -> Self {
        let interval_seconds = histogram.interval().seconds();
        let buckets = histogram.buckets().map(|(start_ns, count)| (Timestamp(start_ns), count));
        if beside_groups {
            let (starts, counts) = buckets.unzip();
            Self { interval_seconds, buckets: None, starts: Some(starts), counts: Some(counts) }
        } else {
            let buckets = buckets.map(|(start, count)| Bucket { start, count }).collect();
            Self { interval_seconds, buckets: Some(buckets), starts: None, counts: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_gone_through_only_for_what_an_answer_needs() {
        use WantedTotals::{Largest, Nothing, Sums};
        let wanted = |query: &str, interval: IntervalChoice, by: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let query = EventQuery::parse(pairs, 0).unwrap();
            let by = if by.is_empty() { Vec::new() } else { Field::parse_list(by, 3).unwrap() };
            known(&query, interval, &by, 5).unwrap_or_else(|| interval.wanted_totals(&query))
        };
        let (none, auto) = (IntervalChoice::None, IntervalChoice::Auto(10));
        assert_eq!(wanted("", none, ""), Sums);
        assert_eq!(wanted("topic=t", none, "topic"), Largest(5));
        assert_eq!(wanted("", none, "source"), Nothing);
        assert_eq!(wanted("q=x", none, ""), Nothing);
        assert_eq!(wanted("q=x", auto, "topic"), Sums);
        assert_eq!(wanted("since=2025-01-01", auto, ""), Sums);
        assert_eq!(wanted("since=2025-01-01&until=2025-01-02", auto, ""), Nothing);
    }
}
