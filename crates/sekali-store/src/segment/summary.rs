//! The summaries of a row group: how many of its events are of each topic and source, and of each
//! topic and minute. Counts by these need no rows.
//!
//! ```text
//! bytes of the counts by source, of the counts by minute     4 each; u32::MAX: they are too many
//! counts by source:
//!   number of sources; of each: length of the source, source         varint; varint, n
//!   for each topic, in the order of the index: number of pairs       varint
//!     for each: number of the source, less that before; events       varint each
//! counts by minute:
//!   for each topic, in the order of the index: number of pairs       varint
//!     for each: the minute, less that before; events                 varint each
//! ```
//!
//! Sources are numbered from 0 in the order in which they stand there. Minutes are those since
//! 1970-01-01T00:00:00Z; before the first stands that of the least timestamp of the topic.

use std::collections::BTreeMap;

use super::index::TopicRows;
use super::table::TopicTable;
use crate::bytes::{Fields, put_varint};
use crate::limits::SUMMARY_BYTES_MAX;

/// Nanoseconds of a minute.
pub(super) const MINUTE_NS: i64 = 60 * 1_000_000_000;
/// Stands for the length of counts that would have been too many.
const TOO_MANY: u32 = u32::MAX;
/// Bytes of the two lengths.
const HEAD_BYTES: usize = 8;

/// The minute of a time, since 1970.
pub(super) fn minute_of(ns: i64) -> i64 {
    ns.div_euclid(MINUTE_NS)
}

/// The sources of all rows: the distinct ones, and for each row the number of its own.
pub(super) struct RowSources<'a> {
    pub(super) texts: Vec<&'a [u8]>,
    pub(super) numbers: Vec<u16>,
}

/// The part with the summaries of rows of these topics, whose timestamps these are. `sources` are
/// `None` where they are too many or too long.
pub(super) fn encode(topics: &TopicTable, sources: Option<&RowSources<'_>>, timestamps_ns: &[i64]) -> Vec<u8> {
    let by_source = sources.and_then(|sources| encode_sources(topics, sources));
    let by_minute = encode_minutes(topics, timestamps_ns);
    let mut out = Vec::new();
    for counts in [&by_source, &by_minute] {
        let len = counts.as_ref().map_or(TOO_MANY, |counts| counts.len() as u32);
        out.extend_from_slice(&len.to_le_bytes());
    }
    out.extend(by_source.unwrap_or_default());
    out.extend(by_minute.unwrap_or_default());
    out
}

/// `None` where they take too many bytes.
fn encode_sources(topics: &TopicTable, sources: &RowSources<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    put_varint(&mut out, sources.texts.len() as u64);
    for text in &sources.texts {
        put_varint(&mut out, text.len() as u64);
        out.extend_from_slice(text);
        is_small(&out)?;
    }
    debug_assert_eq!(sources.numbers.len(), rows_of(topics).last().map_or(0, |topic| topic.rows.end as usize));
    let mut counts = vec![0_u64; sources.texts.len()];
    for topic in rows_of(topics) {
        let mut found = Vec::new();
        for number in sources.numbers.get(topic.rows.start as usize..topic.rows.end as usize)? {
            let count = counts.get_mut(usize::from(*number))?;
            if *count == 0 {
                found.push(*number);
            }
            *count += 1;
        }
        found.sort_unstable();
        put_varint(&mut out, found.len() as u64);
        let mut last = 0;
        for number in found {
            put_varint(&mut out, u64::from(number - last));
            put_varint(&mut out, std::mem::take(counts.get_mut(usize::from(number))?));
            last = number;
        }
        is_small(&out)?;
    }
    Some(out)
}

/// `None` where they take too many bytes.
fn encode_minutes(topics: &TopicTable, timestamps_ns: &[i64]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for topic in rows_of(topics) {
        let mut counts = BTreeMap::<i64, u64>::new();
        let mut times = timestamps_ns.get(topic.rows.start as usize..topic.rows.end as usize)?.iter().peekable();
        while let Some(time) = times.next() {
            let minute = minute_of(*time);
            let start_ns = |minute: i64| minute.saturating_mul(MINUTE_NS);
            let (within, mut count) = (start_ns(minute)..start_ns(minute + 1), 1);
            // Events that follow each other are mostly of one minute.
            while times.next_if(|time| within.contains(time)).is_some() {
                count += 1;
            }
            *counts.entry(minute).or_default() += count;
            (counts.len() <= SUMMARY_BYTES_MAX / 2).then_some(())?;
        }
        put_varint(&mut out, counts.len() as u64);
        let mut last = minute_of(topic.tally.first_timestamp_ns);
        for (minute, count) in counts {
            put_varint(&mut out, u64::try_from(minute - last).ok()?);
            put_varint(&mut out, count);
            last = minute;
        }
        is_small(&out)?;
    }
    Some(out)
}

fn is_small(counts: &[u8]) -> Option<()> {
    (counts.len() <= SUMMARY_BYTES_MAX).then_some(())
}

fn rows_of(topics: &TopicTable) -> impl Iterator<Item = TopicRows<'_>> {
    (0..topics.len()).filter_map(|number| TopicRows::get(topics, number))
}

/// Summaries that were read. Their bytes were verified; where they make no sense all the same, for
/// a defect, there are none.
pub(super) struct Summary {
    bytes: Vec<u8>,
}

/// Counts by topic and source.
pub(super) struct SourceCounts {
    pub(super) sources: Vec<Box<[u8]>>,
    pub(super) counts: Vec<TopicCount<u32>>,
}

/// A count of the events of a topic, by its number, and of something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TopicCount<T> {
    pub(super) topic: u32,
    pub(super) of: T,
    pub(super) events: u64,
}

impl Summary {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The counts by source of a row group with these topics.
    pub(super) fn by_source(&self, topics: &TopicTable) -> Option<SourceCounts> {
        let [counts, _] = self.halves()?;
        let mut fields = Fields::new(counts?);
        let mut sources = Vec::new();
        for _ in 0..fields.varint()? {
            let len = usize::try_from(fields.varint()?).ok()?;
            sources.push(fields.take(len)?.into());
        }
        let is_source = |number: i64| u32::try_from(number).ok().filter(|number| (*number as usize) < sources.len());
        let counts = decode(&mut fields, topics, |_| 0, is_source)?;
        fields.is_empty().then_some(SourceCounts { sources, counts })
    }

    /// The counts by minute of a row group with these topics.
    pub(super) fn by_minute(&self, topics: &TopicTable) -> Option<Vec<TopicCount<i64>>> {
        let [_, counts] = self.halves()?;
        let mut fields = Fields::new(counts?);
        let counts = decode(&mut fields, topics, |topic| minute_of(topic.tally.first_timestamp_ns), Some)?;
        fields.is_empty().then_some(counts)
    }

    /// The counts by source and by minute, either `None` if they were too many.
    fn halves(&self) -> Option<[Option<&[u8]>; 2]> {
        let mut fields = Fields::new(&self.bytes);
        let lens = [fields.u32()?, fields.u32()?];
        debug_assert_eq!(self.bytes.len() - fields.len(), HEAD_BYTES);
        let mut take = |len: u32| if len == TOO_MANY { Some(None) } else { fields.take(len as usize).map(Some) };
        let halves = [take(lens[0])?, take(lens[1])?];
        fields.is_empty().then_some(halves)
    }
}

/// Reads the pairs of each topic, which must add up to its events.
fn decode<T>(
    fields: &mut Fields<'_>,
    topics: &TopicTable,
    first: impl Fn(&TopicRows<'_>) -> i64,
    check: impl Fn(i64) -> Option<T>,
) -> Option<Vec<TopicCount<T>>> {
    let mut counts = Vec::new();
    for (number, topic) in (0..).zip(rows_of(topics)) {
        let (mut at, mut sum) = (first(&topic), 0_u64);
        for _ in 0..fields.varint()? {
            at = at.checked_add(i64::try_from(fields.varint()?).ok()?)?;
            let events = fields.varint()?;
            sum = sum.checked_add(events)?;
            counts.push(TopicCount { topic: number, of: check(at)?, events });
        }
        (sum == topic.tally.events).then_some(())?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tally::Tally;

    /// Topics with the timestamps of their rows, and the number of the source of each row.
    type Rows = Vec<Vec<(i64, u16)>>;

    fn table(rows: &Rows) -> TopicTable {
        let names: Vec<_> = (0..rows.len()).map(|number| format!("{number:04}")).collect();
        let mut end = 0;
        TopicRows::collect(names.iter().zip(rows).map(|(topic, rows)| {
            let start = end;
            end += rows.len() as u32;
            let times = || rows.iter().map(|(time, _)| *time);
            let tally = Tally {
                events: rows.len() as u64,
                bytes: 1,
                first_timestamp_ns: times().min().unwrap(),
                last_timestamp_ns: times().max().unwrap(),
            };
            TopicRows { topic, rows: start..end, tally }
        }))
    }

    fn summary_of(rows: &Rows, texts: &[&[u8]]) -> (TopicTable, Vec<u8>) {
        let topics = table(rows);
        let times: Vec<_> = rows.iter().flatten().map(|(time, _)| *time).collect();
        let numbers = rows.iter().flatten().map(|(_, source)| *source).collect();
        let bytes = encode(&topics, Some(&RowSources { texts: texts.to_vec(), numbers }), &times);
        (topics, bytes)
    }

    fn counted<T: Ord + Copy>(counts: &[TopicCount<T>]) -> BTreeMap<(u32, T), u64> {
        counts.iter().map(|count| ((count.topic, count.of), count.events)).collect()
    }

    fn expected<T: Ord>(rows: &Rows, of: impl Fn(&(i64, u16)) -> T) -> BTreeMap<(u32, T), u64> {
        let mut counts = BTreeMap::new();
        for (topic, rows) in (0..).zip(rows) {
            rows.iter().for_each(|row| *counts.entry((topic, of(row))).or_default() += 1);
        }
        counts
    }

    fn rows() -> impl Strategy<Value = Rows> {
        let time = prop_oneof![8 => -3 * MINUTE_NS..9 * MINUTE_NS, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
        prop::collection::vec(prop::collection::vec((time, 0..3_u16), 1..40), 1..9)
    }

    proptest! {
        #[test]
        fn summaries_are_the_counts_of_the_rows(rows in rows()) {
            let (topics, bytes) = summary_of(&rows, &[b"a", b"", b"\xff\0"]);
            let summary = Summary::new(bytes);
            let by_source = summary.by_source(&topics).expect("few sources");
            prop_assert_eq!(by_source.sources.len(), 3);
            prop_assert_eq!(counted(&by_source.counts), expected(&rows, |(_, source)| u32::from(*source)));
            let by_minute = summary.by_minute(&topics).expect("few minutes");
            prop_assert_eq!(counted(&by_minute), expected(&rows, |(time, _)| minute_of(*time)));
        }

        #[test]
        fn bytes_that_make_no_sense_are_no_summary_or_one_that_adds_up(
            rows in rows(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index
        ) {
            let (topics, mut bytes) = summary_of(&rows, &[b"a", b"b", b"c"]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let cut = bytes[..cut.index(bytes.len())].to_vec();
            for summary in [Summary::new(bytes), Summary::new(cut)] {
                let all = rows.iter().map(|rows| rows.len() as u64).sum::<u64>();
                let by_source = summary.by_source(&topics);
                prop_assert!(by_source.is_none_or(|found| found.counts.iter().map(|count| count.events).sum::<u64>() == all));
                let by_minute = summary.by_minute(&topics);
                prop_assert!(by_minute.is_none_or(|found| found.iter().map(|count| count.events).sum::<u64>() == all));
            }
        }
    }

    #[test]
    fn counts_that_would_be_large_are_left_out() {
        let texts: Vec<_> = (0..SUMMARY_BYTES_MAX).map(|number| format!("{number:05}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_bytes).collect();
        let row = |number: usize| (number as i64 * MINUTE_NS, number as u16);
        let (topics, bytes) = summary_of(&vec![(0..10_000).map(row).collect()], &texts[..10_000]);
        let summary = Summary::new(bytes);
        assert!(summary.by_source(&topics).is_none() && summary.by_minute(&topics).is_none());
        let (topics, bytes) = summary_of(&vec![(0..1_000).map(row).collect()], &texts[..1_000]);
        let summary = Summary::new(bytes);
        assert!(summary.by_source(&topics).is_some() && summary.by_minute(&topics).is_some());
        let many_topics = (0..20_000).map(|_| vec![(0, 0)]).collect();
        let (topics, bytes) = summary_of(&many_topics, &[b"s"]);
        assert_eq!(bytes.len(), HEAD_BYTES);
        assert!(Summary::new(bytes).by_minute(&topics).is_none());
    }
}
