//! Counts of events: all of them, by groups, and over time.

use std::collections::BTreeMap;

use sekali_store::{ColumnRows, ColumnsWanted, EventView, TopicColumns, Unread};

use super::reader_view::ReaderView;
use super::{Aggregate, Field, Groups, Histogram, QueryError};

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
        let member = self.groups.as_ref().map_or(Some(None), Groups::member);
        let columns = member.map(|member| ColumnsWanted { timestamps: self.histogram.is_some(), member });
        ReaderView { unread, columns }
    }

    fn add_columns(&mut self, columns: &ColumnRows, wants: &dyn Fn(&str) -> bool) -> Result<u64, QueryError> {
        let (texts, mut events) = (columns.texts(), 0);
        for topic in columns.topics().filter(|topic| wants(topic.topic)) {
            events += topic.rows as u64;
            let parts = match &mut self.histogram {
                None => in_one_interval(&topic),
                Some(histogram) => by_interval(&topic, histogram)?,
            };
            let Some(groups) = &mut self.groups else { continue };
            for ((interval, code), count) in parts {
                let text = texts.get(usize::from(code)).copied().flatten();
                groups.add_many(topic.topic, text, interval, count);
            }
        }
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

/// Counts by interval and code.
type Parts = BTreeMap<(Option<i64>, u16), u64>;

/// The counts of a topic by code.
fn in_one_interval(topic: &TopicColumns<'_>) -> Parts {
    if topic.codes.is_empty() {
        return Parts::from([((None, 0), topic.rows as u64)]);
    }
    let mut parts = Parts::new();
    let end = topic.codes.iter().max().map_or(0, |&code| usize::from(code) + 1);
    if topic.codes.len() < end {
        topic.codes.iter().for_each(|&code| *parts.entry((None, code)).or_default() += 1);
        return parts;
    }
    let mut counts = vec![0_u64; end];
    topic.codes.iter().for_each(|&code| counts[usize::from(code)] += 1);
    parts.extend((0..).zip(counts).filter(|(_, count)| *count > 0).map(|(code, count)| ((None, code), count)));
    parts
}

/// The counts of a topic by interval and code, which are counted by interval, too.
fn by_interval(topic: &TopicColumns<'_>, histogram: &mut Histogram) -> Result<Parts, QueryError> {
    let mut parts = Parts::new();
    let codes = topic.codes.iter().copied().chain(std::iter::repeat(0));
    let interval = histogram.interval();
    let mut rows =
        topic.timestamps_ns.iter().zip(codes).map(|(&time, code)| (interval.number_of(time), code)).peekable();
    while let Some((number, code)) = rows.next() {
        // Events that follow each other are mostly of one interval.
        let mut counts = vec![(code, 1_u64)];
        let mut count = 1;
        while let Some((_, code)) = rows.next_if(|(other, _)| *other == number) {
            count += 1;
            match counts.last_mut().filter(|(last, _)| *last == code) {
                Some((_, count)) => *count += 1,
                None => counts.push((code, 1)),
            }
        }
        histogram.add_many(number, count)?;
        counts.into_iter().for_each(|(code, count)| *parts.entry((Some(number), code)).or_default() += count);
    }
    Ok(parts)
}
