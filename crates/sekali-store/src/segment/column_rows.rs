//! The wanted rows of a row group as columns, for readers that need no events.

use super::members::{ELSEWHERE, FIRST_ENTRY, MemberColumn};

/// Which columns a reader needs, beside the topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnsWanted {
    /// The timestamps.
    pub timestamps: bool,
    /// The texts at this path of the payloads, as conditions call it; the sources, if it is empty.
    pub member: Option<String>,
}

/// Rows of a row group, topic by topic.
#[derive(Debug, Default)]
pub struct ColumnRows {
    /// The topics, and where the rows of each end.
    topics: Vec<(Box<str>, usize)>,
    timestamps_ns: Vec<i64>,
    codes: Vec<u16>,
    member: Option<MemberColumn>,
    /// Rows that were looked at and are not wanted.
    passed: u64,
}

/// The rows of a topic.
#[derive(Debug, Clone, Copy)]
pub struct TopicColumns<'a> {
    /// Its name.
    pub topic: &'a str,
    /// Number of the rows.
    pub rows: usize,
    /// Their timestamps, if they are wanted: nanoseconds since 1970-01-01T00:00:00Z.
    pub timestamps_ns: &'a [i64],
    /// The code of the text of each, if texts are wanted: see [`ColumnRows::texts`].
    pub codes: &'a [u16],
}

impl ColumnRows {
    pub(super) fn new(member: Option<MemberColumn>) -> Self {
        Self { member, ..Self::default() }
    }

    /// Notes rows that are not wanted.
    pub(super) fn pass(&mut self, rows: u64) {
        self.passed += rows;
    }

    /// Takes in rows of a topic, each with its place in the topic, whose timestamps these are, and in
    /// the row group, whose codes these are. What is not wanted has none.
    pub(super) fn push(
        &mut self,
        topic: &str,
        rows: impl Iterator<Item = (usize, u32)>,
        timestamps_ns: &[i64],
        codes: &[u16],
    ) {
        let mut end = self.len();
        for (at, row) in rows {
            end += 1;
            self.timestamps_ns.extend(timestamps_ns.get(at));
            self.codes.extend(codes.get(row as usize));
        }
        if end > self.len() {
            self.topics.push((topic.into(), end));
        }
    }

    /// Number of rows.
    fn len(&self) -> usize {
        self.topics.last().map_or(0, |(_, end)| *end)
    }

    /// Number of rows that were looked at: these, and others that do not meet the conditions.
    pub fn looked_at(&self) -> u64 {
        self.len() as u64 + self.passed
    }

    /// The rows by topic, sorted.
    pub fn topics(&self) -> impl Iterator<Item = TopicColumns<'_>> {
        let mut start = 0;
        self.topics.iter().map(move |(topic, end)| {
            let rows = std::mem::replace(&mut start, *end)..*end;
            let timestamps_ns = self.timestamps_ns.get(rows.clone()).unwrap_or_default();
            let codes = self.codes.get(rows.clone()).unwrap_or_default();
            TopicColumns { topic, rows: rows.len(), timestamps_ns, codes }
        })
    }

    /// The text of each code: `None` for payloads that have nothing at the path.
    pub fn texts(&self) -> Vec<Option<&[u8]>> {
        let mut texts = vec![None; usize::from(FIRST_ENTRY)];
        debug_assert!(texts.len() > usize::from(ELSEWHERE));
        texts.extend(self.member.iter().flat_map(MemberColumn::texts).map(Some));
        texts
    }
}
