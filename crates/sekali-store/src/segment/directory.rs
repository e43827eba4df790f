//! The directory of a segment: its row groups and topics. It stands twice in the file, so that one
//! damaged byte costs at most one row group. All integers are little-endian; the checksum is seeded
//! with the partition's salt.
//!
//! ```text
//! directory
//!   "SKD1", number of row groups, number of topics            4 each
//!   for each row group:
//!     offset of its columns, bytes of them, bytes of its index        8 each
//!     first seq, last seq, rows, bytes of the rows                    8 each
//!     least and greatest timestamp                                    8 each
//!   for each topic, sorted:
//!     length of the topic, topic                              2 + n
//!     events, bytes, least and greatest timestamp             8 each
//!     bits: which row groups have it, the lowest first        1 for each 8 row groups
//!   XXH3-64 of all before                                     8
//! ```

use std::collections::BTreeMap;

use super::table::TopicTable;
use crate::bytes::Fields;
use crate::error::Result;
use crate::invariant::invariant;
use crate::salt::Salt;
use crate::tally::Tally;

const MAGIC: [u8; 4] = *b"SKD1";
/// The counts of a topic; the bits behind them are as many as there are row groups.
const TALLY_BYTES: usize = 32;

/// A run of consecutive events in a segment: the unit of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowGroup {
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) index_len: u32,
    /// The least seq in it.
    pub first_seq: u64,
    /// The greatest seq in it. Between the two some may be missing, where events were lost to
    /// damage.
    pub last_seq: u64,
    /// Number of events.
    pub rows: u64,
    /// Bytes of its events as rows of the log.
    pub bytes: u64,
    /// The least timestamp: nanoseconds since 1970-01-01T00:00:00Z.
    pub first_timestamp_ns: i64,
    /// The greatest timestamp.
    pub last_timestamp_ns: i64,
}

impl RowGroup {
    /// Where it ends, index included.
    pub(super) fn end(&self) -> u64 {
        self.index_offset() + u64::from(self.index_len)
    }

    /// Bytes of its columns and its index.
    pub(super) fn len_bytes(&self) -> u64 {
        u64::from(self.len) + u64::from(self.index_len)
    }

    pub(super) fn index_offset(&self) -> u64 {
        self.offset + u64::from(self.len)
    }
}

/// Row groups and topics of a segment. Takes about 40 bytes for each topic, and its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) groups: Vec<RowGroup>,
    topics: TopicTable,
}

impl Directory {
    /// Whether the row group of that number has events of `topic`.
    pub(super) fn has_topic(&self, group: usize, topic: &str) -> bool {
        let bits = |(_, mut record): (&str, Fields<'_>)| {
            read_tally(&mut record)?;
            record.take(self.groups.len().div_ceil(8))?.get(group / 8).copied()
        };
        let byte = self.topics.find(topic).and_then(|number| self.topics.get(number)).and_then(bits);
        byte.is_some_and(|byte| byte >> (group % 8) & 1 == 1)
    }

    /// The counts of a topic.
    pub(super) fn tally(&self, topic: &str) -> Option<Tally> {
        let (_, mut record) = self.topics.get(self.topics.find(topic)?)?;
        read_tally(&mut record)
    }

    /// Topics with their counts, sorted.
    pub(super) fn tallies(&self) -> impl Iterator<Item = (&str, Tally)> {
        self.topics.iter().filter_map(|(topic, mut record)| Some((topic, read_tally(&mut record)?)))
    }

    pub(super) fn encode(&self, salt: Salt) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&(self.groups.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.topics.len() as u32).to_le_bytes());
        for group in &self.groups {
            let (len, index_len) = (u64::from(group.len), u64::from(group.index_len));
            for number in [group.offset, len, index_len, group.first_seq, group.last_seq, group.rows, group.bytes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&group.first_timestamp_ns.to_le_bytes());
            out.extend_from_slice(&group.last_timestamp_ns.to_le_bytes());
        }
        out.extend_from_slice(self.topics.bytes());
        salt.seal(&mut out);
        out
    }

    /// `None` where `bytes` are not a directory, whole and unharmed.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let mut fields = Fields::new(salt.unseal(bytes)?);
        let magic: [u8; 4] = fields.array()?;
        let (groups, count) = (fields.u32()?, fields.u32()?);
        let groups = (0..groups).map(|_| decode_group(&mut fields)).collect::<Option<Vec<_>>>()?;
        let topics = TopicTable::decode(fields.take(fields.len())?, TALLY_BYTES + groups.len().div_ceil(8))?;
        let ordered =
            groups.windows(2).all(|pair| pair[0].last_seq < pair[1].first_seq && pair[0].end() == pair[1].offset);
        let sound = magic == MAGIC && topics.len() == count as usize && ordered && !groups.is_empty();
        sound.then_some(Self { groups, topics })
    }
}

/// The directory of a segment that is being written.
#[derive(Debug, Default)]
pub(super) struct DirectoryBuilder {
    groups: Vec<RowGroup>,
    topics: BTreeMap<Box<str>, TopicShare>,
}

/// A topic's share of a segment.
#[derive(Debug, Default)]
struct TopicShare {
    tally: Tally,
    /// Bit by bit, whether a row group has it.
    groups: Vec<u8>,
}

impl DirectoryBuilder {
    /// Adds a row group and what it has of each topic.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where it does not follow the row groups before, or
    /// its topics have not all its rows.
    pub(super) fn push<'a>(&mut self, group: RowGroup, topics: impl Iterator<Item = (&'a str, Tally)>) -> Result<()> {
        let follows = |last: &RowGroup| last.last_seq < group.first_seq && last.end() == group.offset;
        invariant!(self.groups.last().is_none_or(follows), "a row group does not follow the one before");
        let (number, mut rows) = (self.groups.len(), 0);
        for (topic, tally) in topics {
            if !self.topics.contains_key(topic) {
                self.topics.insert(topic.into(), TopicShare::default());
            }
            let Some(share) = self.topics.get_mut(topic) else { invariant!("a topic of a row group is not counted") };
            share.tally.add(&tally);
            rows += tally.events;
            share.groups.resize(number / 8 + 1, 0);
            share.groups[number / 8] |= 1 << (number % 8);
        }
        invariant!(rows == group.rows, "the topics of a row group have not its rows");
        self.groups.push(group);
        Ok(())
    }

    /// The directory of what was added.
    pub(super) fn finish(self) -> Directory {
        let bits = self.groups.len().div_ceil(8);
        let mut topics = TopicTable::default();
        for (topic, TopicShare { tally, mut groups }) in self.topics {
            groups.resize(bits, 0);
            topics.push(&topic, |out| {
                out.extend_from_slice(&tally.events.to_le_bytes());
                out.extend_from_slice(&tally.bytes.to_le_bytes());
                out.extend_from_slice(&tally.first_timestamp_ns.to_le_bytes());
                out.extend_from_slice(&tally.last_timestamp_ns.to_le_bytes());
                out.extend_from_slice(&groups);
            });
        }
        Directory { groups: self.groups, topics }
    }
}

fn decode_group(fields: &mut Fields<'_>) -> Option<RowGroup> {
    let group = RowGroup {
        offset: fields.u64()?,
        len: u32::try_from(fields.u64()?).ok()?,
        index_len: u32::try_from(fields.u64()?).ok()?,
        first_seq: fields.u64()?,
        last_seq: fields.u64()?,
        rows: fields.u64()?,
        bytes: fields.u64()?,
        first_timestamp_ns: fields.i64()?,
        last_timestamp_ns: fields.i64()?,
    };
    (group.first_seq <= group.last_seq).then_some(group)
}

fn read_tally(record: &mut Fields<'_>) -> Option<Tally> {
    Some(Tally {
        events: record.u64()?,
        bytes: record.u64()?,
        first_timestamp_ns: record.i64()?,
        last_timestamp_ns: record.i64()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn directory(groups: usize, topics: &[String]) -> Directory {
        let mut directory = DirectoryBuilder::default();
        let mut offset = 4;
        for number in 0..groups as u64 {
            let (first_timestamp_ns, last_timestamp_ns) = (-5, number as i64);
            let here = topics.iter().enumerate().filter(|(at, _)| (number as usize + at).is_multiple_of(3));
            let here: Vec<_> = here.map(|(_, topic)| topic.as_str()).collect();
            let group = RowGroup {
                offset,
                len: 10,
                index_len: 3,
                first_seq: number * 10 + 1,
                last_seq: number * 10 + 9,
                rows: 9 * here.len() as u64,
                bytes: 99,
                first_timestamp_ns,
                last_timestamp_ns,
            };
            offset = group.end();
            let tally = Tally { events: 9, bytes: 99, first_timestamp_ns, last_timestamp_ns };
            directory.push(group, here.into_iter().map(|topic| (topic, tally))).unwrap();
        }
        directory.finish()
    }

    proptest! {
        #[test]
        fn round_trip_and_every_flip_and_cut_is_seen(
            groups in 1..20_usize, topics in prop::collection::btree_set(".{0,20}", 0..9), at: prop::sample::Index, bit in 0..8_u32
        ) {
            let topics: Vec<_> = topics.into_iter().collect();
            let directory = directory(groups, &topics);
            let mut bytes = directory.encode(Salt(5));
            let decoded = Directory::decode(&bytes, Salt(5)).unwrap();
            prop_assert_eq!(&decoded, &directory);
            for (topic, tally) in decoded.tallies() {
                prop_assert_eq!(decoded.tally(topic), Some(tally));
                prop_assert_eq!(tally.events, 9 * (0..groups).filter(|group| decoded.has_topic(*group, topic)).count() as u64);
            }
            prop_assert_eq!(decoded.tally("a topic that is not there"), None);
            for (at, topic) in topics.iter().enumerate() {
                for group in 0..groups + 1 {
                    prop_assert_eq!(decoded.has_topic(group, topic), group < groups && (group + at).is_multiple_of(3));
                }
            }
            prop_assert!(!decoded.has_topic(0, "a topic that is not there"));
            let at = at.index(bytes.len());
            prop_assert_eq!(Directory::decode(&bytes[..at], Salt(5)), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Directory::decode(&bytes, Salt(5)), None);
        }
    }
}
