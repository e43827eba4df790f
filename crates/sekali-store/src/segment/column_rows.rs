//! The wanted rows of a row group as columns or counts, for readers that need no events.

use super::members::{ELSEWHERE, FIRST_ENTRY, MemberColumn};

/// How exactly a reader needs to know when the rows were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimesWanted {
    /// Not at all.
    #[default]
    None,
    /// By their minutes, if rows are only counted, and else by their timestamps.
    Minutes,
    /// By their timestamps.
    Exact,
}

/// The columns of rows that a reader needs, beside their topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnsWanted {
    /// When they were.
    pub times: TimesWanted,
    /// The texts at these paths of the payloads, as conditions call them; the sources, where a path
    /// is empty.
    pub members: Vec<String>,
    /// Whether numbers of rows are enough, where they are alike in all that is wanted.
    pub counts: bool,
}

/// Rows of a row group: some as columns, topic by topic, and some as counts.
#[derive(Debug, Default)]
pub struct ColumnRows {
    /// The topics, and where the rows of each end.
    topics: Vec<(Box<str>, usize)>,
    timestamps_ns: Vec<i64>,
    members: Vec<RowMembers>,
    counts: Counts,
    /// Rows that were looked at and are not wanted.
    passed: u64,
}

/// The texts of rows at a path.
#[derive(Debug)]
struct RowMembers {
    codes: Vec<u16>,
    column: MemberColumn,
}

/// The rows of a topic.
#[derive(Debug, Clone)]
pub struct TopicColumns<'a> {
    /// Its name.
    pub topic: &'a str,
    /// Number of the rows.
    pub rows: usize,
    /// Their timestamps, if they are wanted: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamps_ns: &'a [i64],
    /// For each wanted path, the code of the text of each row: see [`ColumnRows::texts`].
    pub codes: Vec<&'a [u16]>,
}

/// Rows of which only the number is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCount<'a> {
    /// Their topic.
    pub topic: &'a str,
    /// Their source, if it is wanted.
    pub source: Option<&'a [u8]>,
    /// Their minute since 1970-01-01T00:00:00Z, if times are wanted.
    pub minute: Option<i64>,
    /// How many they are.
    pub rows: u64,
}

/// See [`RowCount`]: topics and sources by their numbers.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) topics: Vec<Box<str>>,
    pub(super) sources: Vec<Box<[u8]>>,
    pub(super) cells: Vec<CountCell>,
}

/// A count.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountCell {
    pub(super) topic: usize,
    pub(super) source: Option<u32>,
    pub(super) minute: Option<i64>,
    pub(super) rows: u64,
}

/// The rows of a topic.
pub(super) struct TopicSlice<'a> {
    pub(super) topic: &'a str,
    /// The number of the first row in the row group.
    pub(super) first_row: u32,
    /// Of all rows, or none.
    pub(super) timestamps_ns: &'a [i64],
}

impl Counts {
    /// How many rows are counted.
    pub(super) fn rows(&self) -> u64 {
        self.cells.iter().map(|cell| cell.rows).sum()
    }
}

impl ColumnRows {
    /// No rows yet, with these columns of members, of all rows of the row group.
    pub(super) fn new(members: &mut [MemberColumn]) -> (Self, Vec<Vec<u16>>) {
        let codes = members.iter_mut().map(|member| std::mem::take(&mut member.codes)).collect();
        let columns = members.iter_mut().map(std::mem::take);
        let members = columns.map(|column| RowMembers { codes: Vec::new(), column }).collect();
        (Self { members, ..Self::default() }, codes)
    }

    /// Rows that are only counted.
    pub(super) fn of_counts(counts: Counts) -> Self {
        Self { counts, ..Self::default() }
    }

    /// Notes rows that are not wanted.
    pub(super) fn pass(&mut self, rows: u64) {
        self.passed += rows;
    }

    /// Takes in so many rows of a topic, all that there are.
    pub(super) fn push_all(&mut self, slice: &TopicSlice<'_>, rows: usize, codes: &[Vec<u16>]) {
        let start = slice.first_row as usize;
        self.timestamps_ns.extend_from_slice(slice.timestamps_ns);
        for (member, codes) in self.members.iter_mut().zip(codes) {
            member.codes.extend_from_slice(codes.get(start..start + rows).unwrap_or_default());
        }
        self.end_topic(slice.topic, rows);
    }

    /// Takes in some rows of a topic, by their numbers in the row group.
    pub(super) fn push_some(&mut self, slice: &TopicSlice<'_>, rows: &[u32], codes: &[Vec<u16>]) {
        let in_topic = |row: &u32| (row - slice.first_row) as usize;
        self.timestamps_ns.extend(rows.iter().filter_map(|row| slice.timestamps_ns.get(in_topic(row))));
        for (member, codes) in self.members.iter_mut().zip(codes) {
            member.codes.extend(rows.iter().filter_map(|row| codes.get(*row as usize)));
        }
        self.end_topic(slice.topic, rows.len());
    }

    fn end_topic(&mut self, topic: &str, rows: usize) {
        if rows > 0 {
            self.topics.push((topic.into(), self.len() + rows));
        }
        debug_assert!(self.members.iter().all(|member| member.codes.len() == self.len()), "a row has no code");
        debug_assert!(self.timestamps_ns.is_empty() || self.timestamps_ns.len() == self.len(), "a row has no time");
    }

    /// Number of rows that are there as columns.
    fn len(&self) -> usize {
        self.topics.last().map_or(0, |(_, end)| *end)
    }

    /// Number of rows that were looked at: those in columns, and others that do not meet the
    /// conditions.
    pub fn looked_at(&self) -> u64 {
        self.len() as u64 + self.passed
    }

    /// The rows in columns by topic, sorted.
    pub fn topics(&self) -> impl Iterator<Item = TopicColumns<'_>> {
        let mut start = 0;
        self.topics.iter().map(move |(topic, end)| {
            let rows = std::mem::replace(&mut start, *end)..*end;
            let timestamps_ns = self.timestamps_ns.get(rows.clone()).unwrap_or_default();
            let codes = self.members.iter().map(|member| member.codes.get(rows.clone()).unwrap_or_default());
            TopicColumns { topic, rows: rows.len(), timestamps_ns, codes: codes.collect() }
        })
    }

    /// The rows that are only counted, those of one topic one after the other.
    pub fn counts(&self) -> impl Iterator<Item = RowCount<'_>> {
        let Counts { topics, sources, cells } = &self.counts;
        cells.iter().filter_map(|cell| {
            let source =
                cell.source.map(|source| sources.get(source as usize)).map(|source| source.map(|text| &**text));
            let CountCell { topic, minute, rows, .. } = *cell;
            Some(RowCount { topic: topics.get(topic)?, source: source.unwrap_or_default(), minute, rows })
        })
    }

    /// The text of each code of the wanted path of this number: `None` for payloads that have
    /// nothing there.
    pub fn texts(&self, number: usize) -> Vec<Option<&[u8]>> {
        let mut texts = vec![None; usize::from(FIRST_ENTRY)];
        debug_assert!(texts.len() > usize::from(ELSEWHERE));
        texts.extend(self.members.get(number).iter().flat_map(|member| member.column.texts()).map(Some));
        texts
    }
}
