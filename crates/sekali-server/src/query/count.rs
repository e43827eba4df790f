//! Counts of events: all of them, by groups, and over time.

use std::collections::BTreeMap;

use sekali_store::{ColumnRows, ColumnsWanted, EventView, RowCount, TimesWanted, Unread};

use super::reader_view::ReaderView;
use super::row_counts::{AlikeRows, count_rows};
use super::{Aggregate, Field, Groups, Histogram, QueryError};
use crate::limits::GROUP_FIELDS_MAX;

/// Nanoseconds of a minute.
const MINUTE_NS: i64 = 60 * 1_000_000_000;

/// The groups and intervals of a count.
#[derive(Debug, Default)]
pub(crate) struct CountQuery {
    /// The fields of groups; none for a plain count.
    pub(crate) by: Vec<Field>,
    /// Over time, if wanted.
    pub(crate) histogram: Option<Histogram>,
}

/// A count in progress, and its result.
#[derive(Debug)]
pub(crate) struct Count {
    /// Events that match.
    pub(crate) events: u64,
    /// By groups.
    pub(crate) groups: Option<Groups>,
    /// Over time.
    pub(crate) histogram: Option<Histogram>,
}

impl Count {
    /// No events yet.
    pub(crate) fn new(query: CountQuery) -> Self {
        let CountQuery { by, histogram } = query;
        let groups = (!by.is_empty()).then(|| Groups::new(by));
        Self { events: 0, groups, histogram }
    }
}

impl Aggregate for Count {
    fn view(&self) -> ReaderView {
        let all = Unread { event_ids: true, sources: true, payloads: true };
        let unread = self.groups.as_ref().map_or(all, Groups::unread);
        let times = match &self.histogram {
            None => TimesWanted::None,
            Some(histogram) if histogram.interval().is_of_minutes() => TimesWanted::Minutes,
            Some(_) => TimesWanted::Exact,
        };
        let members = self.groups.as_ref().map_or_else(|| Some(Vec::new()), Groups::members);
        let columns = members.map(|members| ColumnsWanted { times, members, counts: true });
        ReaderView { unread, columns }
    }

    fn add_columns(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let texts: Vec<_> = (0..GROUP_FIELDS_MAX).map(|number| columns.texts(number)).collect();
        let mut events = 0;
        for topic in columns.topics().filter(|topic| wants(topic.topic)) {
            events += topic.rows as u64;
            let interval = self.histogram.as_ref().map(Histogram::interval);
            for AlikeRows { interval, codes, rows } in count_rows(&topic, interval) {
                let interval = self.at_interval(interval, rows)?;
                let texts =
                    texts.iter().zip(codes).map(|(texts, code)| texts.get(usize::from(code)).copied().flatten());
                self.add_group(topic.topic, &texts.collect::<Vec<_>>(), interval, rows);
            }
        }
        events += self.add_counts(columns, wants)?;
        self.events += events;
        Ok(events)
    }

    fn add(&mut self, event: &EventView<'_>) -> Result<(), QueryError> {
        self.events += 1;
        let interval = self.histogram.as_mut().map(|histogram| histogram.add(event.timestamp_ns)).transpose()?;
        if let Some(groups) = &mut self.groups {
            groups.add(event, interval);
        }
        Ok(())
    }
}

impl Count {
    /// Adds rows of which only the numbers are known.
    fn add_counts(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let by_topic = self.groups.as_ref().is_some_and(Groups::are_by_topic);
        let interval = self.histogram.as_ref().map(Histogram::interval);
        let (mut events, mut last) = (0, None);
        // Counts that differ only by topic are added up first: groups cost more than numbers.
        let mut sums = BTreeMap::<(&str, Option<&[u8]>, i64), u64>::new();
        for RowCount { topic, source, minute, rows } in columns.counts() {
            let is_wanted = match last {
                Some((known, is_wanted)) if known == topic => is_wanted,
                _ => wants(topic),
            };
            last = Some((topic, is_wanted));
            if !is_wanted {
                continue;
            }
            events += rows;
            let start_ns = minute.unwrap_or_default().saturating_mul(MINUTE_NS);
            let number = interval.map_or(0, |interval| interval.number_of(start_ns));
            *sums.entry((if by_topic { topic } else { "" }, source, number)).or_default() += rows;
        }
        for ((topic, source, number), rows) in sums {
            let interval = self.at_interval(number, rows)?;
            self.add_group(topic, &[source], interval, rows);
        }
        Ok(events)
    }

    /// Counts events of the interval of this number, if events are counted over time.
    fn at_interval(&mut self, number: i64, rows: u64) -> Result<Option<i64>, QueryError> {
        let Some(histogram) = &mut self.histogram else { return Ok(None) };
        histogram.add_many(number, rows)?;
        Ok(Some(number))
    }

    fn add_group(&mut self, topic: &str, texts: &[Option<&[u8]>], interval: Option<i64>, rows: u64) {
        if let Some(groups) = &mut self.groups {
            groups.add_many(topic, texts, interval, rows);
        }
    }
}
