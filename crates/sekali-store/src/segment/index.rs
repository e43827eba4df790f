//! The index of a row group: what is where in it, and the checksums of its bytes.
//!
//! It stands right behind the columns of its row group, and all its offsets count from where the
//! row group begins, so that a row group can be copied from one segment to another as it is. All
//! integers are little-endian:
//!
//! ```text
//! "SKI2", or "SKI1" where it has no parts                     4
//! number of rows                                              4
//! bytes of the columns and parts                              4
//! rows from one mark to the next                              4
//! for each block of 8 KiB of these: XXH3-64                   8 each
//! for each of the 7 columns:
//!   offset, number of pages                                   4 each
//!   for each page: offset, first row                          4 each
//! for each mark: seq of the row                               8 each
//! in "SKI2": number of parts                                  4
//!   for each: kind, offset, bytes                             4 each
//! number of topics                                            4
//! for each topic, sorted:
//!   length of the topic, topic                                2 + n
//!   first row, number of rows                                 4 each
//!   bytes, least and greatest timestamp                       8 each
//! XXH3-64 of all before                                       8
//! ```
//!
//! A dictionary stands between the offset of its column and the first page. Parts stand behind the
//! columns, and a reader passes over those of a kind it does not know. Checksums are seeded
//! with the partition's salt.

use std::ops::Range;

use super::schema::COLUMNS;
use super::table::TopicTable;
use crate::bytes::Fields;
use crate::limits::SEGMENT_CHECK_BYTES;
use crate::salt::Salt;
use crate::tally::Tally;

const MAGIC: [u8; 4] = *b"SKI2";
/// Of an index without parts: of segments of format 1, and of row groups that are to get theirs
/// later.
const MAGIC_WITHOUT_PARTS: [u8; 4] = *b"SKI1";
/// The kind of the part that has the columns of members.
pub(super) const MEMBERS_PART: u32 = 1;
/// The kind of the part that has summaries.
pub(super) const SUMMARY_PART: u32 = 2;
/// The kind of the part that has filters.
pub(super) const FILTER_PART: u32 = 3;
/// Bytes behind the topics.
const CHECKSUM_BYTES: usize = 8;

/// Bytes behind each topic.
pub(super) const TOPIC_RECORD_BYTES: usize = 32;

/// Positions in a row group, except those of its topics: their rows follow each other in the order
/// of a [`TopicTable`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GroupIndex {
    pub(super) rows: u32,
    /// Bytes of the columns and parts.
    pub(super) len: u32,
    /// Rows from one mark to the next.
    pub(super) mark_rows: u32,
    /// Checksums of these, block by block.
    pub(super) checksums: Vec<u64>,
    pub(super) columns: [ColumnIndex; COLUMNS],
    /// Seqs of the rows 0, `mark_rows`, 2 × `mark_rows`, …
    pub(super) marks: Vec<u64>,
    /// Behind the columns; `None` where none were made yet.
    pub(super) parts: Option<Vec<Part>>,
}

/// Bytes of one kind behind the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: u32,
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// Where the pages of a column are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ColumnIndex {
    pub(super) offset: u32,
    pub(super) pages: Vec<PageStart>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageStart {
    pub(super) offset: u32,
    pub(super) row: u32,
}

/// The rows of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicRows<'a> {
    pub(super) topic: &'a str,
    pub(super) rows: Range<u32>,
    pub(super) tally: Tally,
}

impl GroupIndex {
    pub(super) fn encode(&self, topics: &TopicTable, salt: Salt) -> Vec<u8> {
        let mut out = if self.parts.is_some() { MAGIC } else { MAGIC_WITHOUT_PARTS }.to_vec();
        let u32s = |out: &mut Vec<u8>, numbers: &[u32]| {
            numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        };
        u32s(&mut out, &[self.rows, self.len, self.mark_rows]);
        self.checksums.iter().for_each(|checksum| out.extend_from_slice(&checksum.to_le_bytes()));
        for column in &self.columns {
            u32s(&mut out, &[column.offset, column.pages.len() as u32]);
            column.pages.iter().for_each(|page| u32s(&mut out, &[page.offset, page.row]));
        }
        self.marks.iter().for_each(|seq| out.extend_from_slice(&seq.to_le_bytes()));
        if let Some(parts) = &self.parts {
            u32s(&mut out, &[parts.len() as u32]);
            parts.iter().for_each(|part| u32s(&mut out, &[part.kind, part.offset, part.len]));
        }
        u32s(&mut out, &[topics.len() as u32]);
        out.extend_from_slice(topics.bytes());
        salt.seal(&mut out);
        out
    }

    /// The index and its topics; `None` where `bytes` are not an index, whole and unharmed.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<(Self, TopicTable)> {
        let mut fields = Fields::new(salt.unseal(bytes)?);
        let magic: [u8; 4] = fields.array()?;
        let mut index = Self { rows: fields.u32()?, len: fields.u32()?, mark_rows: fields.u32()?, ..Self::default() };
        let blocks = (index.len as usize).div_ceil(SEGMENT_CHECK_BYTES);
        index.checksums = (0..blocks).map(|_| fields.u64()).collect::<Option<_>>()?;
        for column in &mut index.columns {
            column.offset = fields.u32()?;
            let pages = fields.u32()?;
            column.pages = (0..pages)
                .map(|_| Some(PageStart { offset: fields.u32()?, row: fields.u32()? }))
                .collect::<Option<_>>()?;
        }
        index.marks = (0..index.rows.div_ceil(index.mark_rows.max(1))).map(|_| fields.u64()).collect::<Option<_>>()?;
        if magic == MAGIC {
            let parts = fields.u32()?;
            let part = |_| Some(Part { kind: fields.u32()?, offset: fields.u32()?, len: fields.u32()? });
            index.parts = Some((0..parts).map(part).collect::<Option<_>>()?);
        }
        let count = fields.u32()? as usize;
        let topics = TopicTable::decode(fields.take(fields.len())?, TOPIC_RECORD_BYTES)?;
        let sound = [MAGIC, MAGIC_WITHOUT_PARTS].contains(&magic) && topics.len() == count && index.is_sound(&topics);
        sound.then_some((index, topics))
    }

    /// Where the topics begin in an index of so many bytes.
    pub(super) fn topics_offset(index_bytes: usize, topics: &TopicTable) -> u32 {
        index_bytes.saturating_sub(topics.bytes().len() + CHECKSUM_BYTES) as u32
    }

    /// Narrows `rows`, which are of one topic, to where seqs in `seqs` may be: to the mark before
    /// and the mark behind.
    pub(super) fn narrow(&self, rows: Range<u32>, seqs: &Range<u64>) -> Range<u32> {
        // Marks inside the range are ascending, because within a topic seqs are.
        let first = (rows.start.div_ceil(self.mark_rows) as usize).min(self.marks.len());
        let end = (rows.end.div_ceil(self.mark_rows) as usize).clamp(first, self.marks.len());
        let marks = self.marks.get(first..end).unwrap_or_default();
        let row = |mark: usize| (first + mark) as u32 * self.mark_rows;
        let below = marks.partition_point(|&seq| seq <= seqs.start);
        let until = marks.partition_point(|&seq| seq < seqs.end);
        let start = below.checked_sub(1).map_or(rows.start, row);
        let end = if until == marks.len() { rows.end } else { row(until) };
        start..end.max(start)
    }

    /// Where the column ends.
    pub(super) fn column_end(&self, column: usize) -> u32 {
        self.columns.get(column + 1).map_or_else(|| self.columns_end(), |next| next.offset)
    }

    /// Where the columns end and the parts begin.
    pub(super) fn columns_end(&self) -> u32 {
        self.parts.iter().flatten().next().map_or(self.len, |part| part.offset)
    }

    /// Where the part of this kind is.
    pub(super) fn part(&self, kind: u32) -> Option<Range<u32>> {
        let part = self.parts.iter().flatten().find(|part| part.kind == kind)?;
        Some(part.offset..part.offset.checked_add(part.len)?)
    }

    /// Whether everything lies where it can be looked for. The checksum has been verified, so this
    /// can only fail for a defect.
    fn is_sound(&self, topics: &TopicTable) -> bool {
        let columns = (0..COLUMNS).all(|number| {
            let column = &self.columns[number];
            let pages =
                column.pages.windows(2).all(|pair| pair[0].offset < pair[1].offset && pair[0].row < pair[1].row);
            let first = column.pages.first().is_some_and(|page| page.row == 0 && page.offset >= column.offset);
            let last = column.pages.last();
            let last = last.is_some_and(|page| page.row < self.rows && page.offset < self.column_end(number));
            pages && first && last
        });
        let mut next = 0;
        let topics = (0..topics.len()).all(|number| {
            let rows = TopicRows::get(topics, number).map_or(0..0, |topic| topic.rows);
            std::mem::replace(&mut next, rows.end) == rows.start && !rows.is_empty()
        });
        let mut end = self.columns_end();
        let parts = self.parts.iter().flatten().all(|part| {
            let start = std::mem::replace(&mut end, part.offset.saturating_add(part.len));
            start == part.offset
        });
        self.rows > 0 && self.mark_rows > 0 && columns && topics && next == self.rows && parts && end == self.len
    }
}

impl<'a> TopicRows<'a> {
    /// The topic of this number.
    pub(super) fn get(topics: &'a TopicTable, number: usize) -> Option<Self> {
        let (topic, mut record) = topics.get(number)?;
        let (first, count) = (record.u32()?, record.u32()?);
        let tally = Tally {
            events: count.into(),
            bytes: record.u64()?,
            first_timestamp_ns: record.i64()?,
            last_timestamp_ns: record.i64()?,
        };
        Some(Self { topic, rows: first..first.checked_add(count)?, tally })
    }

    /// Puts these, which are sorted, into a table.
    pub(super) fn collect(topics: impl Iterator<Item = Self>) -> TopicTable {
        let mut table = TopicTable::default();
        for TopicRows { topic, rows, tally } in topics {
            table.push(topic, |out| {
                out.extend_from_slice(&rows.start.to_le_bytes());
                out.extend_from_slice(&(rows.end - rows.start).to_le_bytes());
                out.extend_from_slice(&tally.bytes.to_le_bytes());
                out.extend_from_slice(&tally.first_timestamp_ns.to_le_bytes());
                out.extend_from_slice(&tally.last_timestamp_ns.to_le_bytes());
            });
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(topics: &[(String, u32)], mark_rows: u32, parts: Option<usize>) -> (GroupIndex, TopicTable) {
        let part = |number: usize| Part { kind: number as u32 + 1, offset: 100 + 10 * number as u32, len: 10 };
        let parts = parts.map(|count| (0..count).map(part).collect::<Vec<_>>());
        let mut rows = 0;
        let names: Vec<_> = (0..).zip(topics).map(|(number, (topic, _))| format!("{number:04}{topic}")).collect();
        let topics = TopicRows::collect(names.iter().zip(topics).map(|(topic, (_, count))| {
            let first = rows;
            rows += count;
            let tally = Tally { events: u64::from(*count), bytes: 9, first_timestamp_ns: -1, last_timestamp_ns: 1 };
            TopicRows { topic, rows: first..rows, tally }
        }));
        let len = parts.iter().flatten().last().map_or(SEGMENT_CHECK_BYTES as u32 + 1, |part| part.offset + 10);
        let column = |number: u32| ColumnIndex {
            offset: number * 10,
            pages: vec![PageStart { offset: number * 10 + 1, row: 0 }],
        };
        let index = GroupIndex {
            rows,
            len,
            mark_rows,
            checksums: (0..len.div_ceil(SEGMENT_CHECK_BYTES as u32)).map(u64::from).collect(),
            columns: std::array::from_fn(|number| column(number as u32)),
            marks: (0..rows.div_ceil(mark_rows)).map(|mark| u64::from(mark) * 100).collect(),
            parts,
        };
        (index, topics)
    }

    proptest! {
        #[test]
        fn round_trip_and_every_flip_and_cut_is_seen(
            topics in prop::collection::vec((".{0,20}", 1..50_u32), 1..9), mark_rows in 1..60_u32, at: prop::sample::Index, bit in 0..8_u32,
            parts in prop::option::of(0..4_usize)
        ) {
            let (index, topics) = index(&topics, mark_rows, parts);
            let mut bytes = index.encode(&topics, Salt(5));
            let offset = GroupIndex::topics_offset(bytes.len(), &topics) as usize;
            prop_assert!(bytes[offset..].starts_with(topics.bytes()));
            prop_assert_eq!(GroupIndex::decode(&bytes, Salt(5)), Some((index, topics)));
            prop_assert_eq!(GroupIndex::decode(&bytes, Salt(6)), None);
            let at = at.index(bytes.len());
            prop_assert_eq!(GroupIndex::decode(&bytes[..at], Salt(5)), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(GroupIndex::decode(&bytes, Salt(5)), None);
        }

        #[test]
        fn narrowing_never_loses_a_wanted_row(
            seqs in prop::collection::btree_set(0..500_u64, 1..120), mark_rows in 1..20_u32, from in 0..510_u64, len in 0..300_u64,
            before in 0..30_u32
        ) {
            // Rows of another topic stand before, with greater seqs.
            let all: Vec<u64> = (0..before).map(|row| 1000 + u64::from(row)).chain(seqs.iter().copied()).collect();
            let marks = all.iter().step_by(mark_rows as usize).copied().collect();
            let index = GroupIndex { rows: all.len() as u32, mark_rows, marks, ..GroupIndex::default() };
            let (rows, wanted) = (before..all.len() as u32, from..from + len);
            let narrow = index.narrow(rows.clone(), &wanted);
            prop_assert!(narrow.start >= rows.start && narrow.end <= rows.end);
            for row in rows.filter(|&row| wanted.contains(&all[row as usize])) {
                prop_assert!(narrow.contains(&row), "row {row} of {narrow:?}");
            }
            prop_assert!(narrow.len() <= (len as usize).min(120) + 2 * mark_rows as usize);
        }
    }
}
