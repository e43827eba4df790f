//! Counts of the wanted rows of a row group without the rows: by its topics and its summaries.

use std::ops::RangeInclusive;

use super::column_rows::{ColumnsWanted, CountCell, Counts, TimesWanted};
use super::index::TopicRows;
use super::query::RowQuery;
use super::select;
use super::summary::{MINUTE_NS, SourceCounts, Summary, TopicCount};
use super::table::TopicTable;
use crate::rules::PayloadConditions;

/// A question that counts may answer.
pub(super) struct Question<'a> {
    wanted: &'a RowQuery<'a>,
    /// Whether rows are counted by minute.
    by_minute: bool,
    /// Whether they are counted by source.
    by_source: bool,
}

impl<'a> Question<'a> {
    /// `None` where counts by topic, source and minute are not enough.
    pub(super) fn new(wanted: &'a RowQuery<'a>, columns: &ColumnsWanted) -> Option<Self> {
        let by_source = match columns.members.as_slice() {
            [] => false,
            [path] if path.is_empty() => true,
            _ => return None,
        };
        let is_of_sources =
            wanted.conditions.is_none_or(|conditions| conditions.are_all() && !conditions.ask_payloads());
        let is_counted = columns.counts && columns.times != TimesWanted::Exact;
        let by_minute = columns.times == TimesWanted::Minutes;
        (is_counted && is_of_sources && !(by_minute && by_source)).then_some(Self { wanted, by_minute, by_source })
    }

    /// The counts by topics, if these are enough.
    pub(super) fn by_topics(&self, topics: &TopicTable) -> Option<Counts> {
        let is_plain = !self.by_minute && !self.by_source && self.wanted.conditions.is_none();
        let mut counts = Counts::default();
        for topic in select::chosen(topics, self.wanted).filter(|_| is_plain) {
            select::contains(&self.wanted.timestamps_ns, &topic).then_some(())?;
            counts.push(&topic, None, None, topic.tally.events);
        }
        is_plain.then_some(counts)
    }

    /// The counts by summaries, if they have them. `topics` are all of the row group.
    pub(super) fn by_summary(&self, topics: &TopicTable, summary: &Summary) -> Option<Counts> {
        let range = &self.wanted.timestamps_ns;
        let chosen = || select::chosen(topics, self.wanted);
        if chosen().any(|topic| !select::contains(range, &topic)) || self.by_minute {
            let is_even = chosen().all(|topic| begins_even(range, &topic) && ends_even(range, &topic));
            let is_possible = is_even && !self.by_source && self.wanted.conditions.is_none();
            return is_possible.then(|| self.minutes(topics, &summary.by_minute(topics)?)).flatten();
        }
        self.sources(topics, summary.by_source(topics)?)
    }

    fn minutes(&self, topics: &TopicTable, found: &[TopicCount<i64>]) -> Option<Counts> {
        let range = &self.wanted.timestamps_ns;
        let mut counts = Counts::default();
        self.each_topic(topics, found, |topic, found| {
            let is_within = |minute: i64| {
                let start = minute.saturating_mul(MINUTE_NS).max(topic.tally.first_timestamp_ns);
                range.contains(&start)
            };
            for TopicCount { of: minute, events, .. } in found.iter().filter(|count| is_within(count.of)) {
                counts.push(topic, None, Some(*minute).filter(|_| self.by_minute), *events);
            }
        })?;
        Some(counts)
    }

    fn sources(&self, topics: &TopicTable, found: SourceCounts) -> Option<Counts> {
        let conditions = self.wanted.conditions;
        let passes = |source: &[u8]| conditions.is_none_or(|conditions| holds(conditions, source));
        let passing: Vec<bool> = found.sources.iter().map(|source| passes(source)).collect();
        let mut counts = Counts::default();
        self.each_topic(topics, &found.counts, |topic, found| {
            let is_in = |source: u32| passing.get(source as usize).copied().unwrap_or(false);
            for TopicCount { of: source, events, .. } in found.iter().filter(|count| is_in(count.of)) {
                counts.push(topic, Some(*source).filter(|_| self.by_source), None, *events);
            }
        })?;
        counts.sources = found.sources;
        Some(counts)
    }

    /// Hands each chosen topic to `visit`, with its counts.
    fn each_topic<T>(
        &self,
        topics: &TopicTable,
        mut counts: &[TopicCount<T>],
        mut visit: impl FnMut(&TopicRows<'_>, &[TopicCount<T>]),
    ) -> Option<()> {
        let numbers = select::numbers(topics, self.wanted.topics);
        for number in numbers {
            let topic = TopicRows::get(topics, number)?;
            let start = counts.partition_point(|count| (count.topic as usize) < number);
            counts = counts.get(start..)?;
            let end = counts.partition_point(|count| (count.topic as usize) <= number);
            let (own, others) = counts.split_at(end);
            counts = others;
            debug_assert!(own.iter().all(|count| count.topic as usize == number), "counts are not by topic");
            if select::is_chosen(&topic, self.wanted) {
                visit(&topic, own);
            }
        }
        Some(())
    }
}

impl Counts {
    /// Counts so many rows of a topic, all of which come one after the other.
    fn push(&mut self, topic: &TopicRows<'_>, source: Option<u32>, minute: Option<i64>, rows: u64) {
        if self.topics.last().is_none_or(|last| **last != *topic.topic) {
            self.topics.push(topic.topic.into());
        }
        debug_assert!(source.is_none() || minute.is_none(), "no summary tells both");
        self.cells.push(CountCell { topic: self.topics.len() - 1, source, minute, rows });
    }
}

/// Whether conditions on sources hold for one.
fn holds(conditions: &dyn PayloadConditions, source: &[u8]) -> bool {
    (0..conditions.paths().len()).all(|number| conditions.hold(number, Some(source)))
}

/// Whether a range of times begins with a minute, or not within the events of a topic.
fn begins_even(range: &RangeInclusive<i64>, topic: &TopicRows<'_>) -> bool {
    let start = *range.start();
    start <= topic.tally.first_timestamp_ns || start.rem_euclid(MINUTE_NS) == 0
}

/// Whether a range of times ends with a minute, or not within the events of a topic.
fn ends_even(range: &RangeInclusive<i64>, topic: &TopicRows<'_>) -> bool {
    let end = *range.end();
    end >= topic.tally.last_timestamp_ns || end.wrapping_add(1).rem_euclid(MINUTE_NS) == 0
}
