//! The directory of a segment: its row groups and topics, and the anchor by which it is found.
//!
//! Both stand twice in the file, so that one damaged byte costs at most one row group: once behind the row groups and once
//! before the Parquet footer. All integers are little-endian; checksums are seeded with the partition's salt.
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
//!
//! anchor, right behind a directory
//!   offset size
//!        0    8  "SEKASEG1"
//!        8    4  format version
//!       12    4  partition
//!       16   16  store id
//!       32    8  offset of the first directory
//!       40    8  bytes of the directory
//!       48    8  bytes of Parquet's page indexes, which stand behind the first anchor
//!       56    8  bytes of Parquet's footer with its length and "PAR1", which stand behind the second anchor
//!       64    8  XXH3-64 of the page indexes and that footer
//!       72    8  XXH3-64 of bytes 0..72
//! ```

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bytes::Fields;
use crate::log::Salt;
use crate::log::outline::Tally;

const MAGIC: [u8; 4] = *b"SKD1";
/// The first bytes of an anchor.
pub(super) const ANCHOR_MAGIC: [u8; 8] = *b"SEKASEG1";
/// Length of an anchor.
pub(super) const ANCHOR_BYTES: usize = 80;
const ANCHOR_CHECKSUM_AT: usize = 72;

/// A run of consecutive events in a segment: the unit of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    pub(super) offset: u64,
    pub(super) len: u32,
    pub(super) index_len: u32,
    /// The least seq in it.
    pub first_seq: u64,
    /// The greatest seq in it. Between the two some may be missing, where events were lost to damage.
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

/// A topic's share of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicShare {
    pub(super) tally: Tally,
    /// Bit by bit, whether a row group has it.
    pub(super) groups: Box<[u8]>,
}

/// Row groups and topics of a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) groups: Vec<RowGroup>,
    pub(super) topics: BTreeMap<Box<str>, TopicShare>,
}

impl Directory {
    /// Whether the row group of that number has events of `topic`.
    pub(super) fn has_topic(&self, group: usize, topic: &str) -> bool {
        let byte = self.topics.get(topic).and_then(|share| share.groups.get(group / 8));
        byte.is_some_and(|byte| byte >> (group % 8) & 1 == 1)
    }

    /// Adds a row group and what it has of each topic.
    pub(super) fn push<'a>(&mut self, group: RowGroup, topics: impl Iterator<Item = (&'a str, Tally)>) {
        let number = self.groups.len();
        self.groups.push(group);
        for (topic, tally) in topics {
            if !self.topics.contains_key(topic) {
                let share = TopicShare { tally: Tally::default(), groups: Box::default() };
                self.topics.insert(topic.into(), share);
            }
            let Some(share) = self.topics.get_mut(topic) else { continue };
            share.tally.add(&tally);
            let mut bits = std::mem::take(&mut share.groups).into_vec();
            bits.resize(number / 8 + 1, 0);
            bits[number / 8] |= 1 << (number % 8);
            share.groups = bits.into();
        }
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
        let bits = self.groups.len().div_ceil(8);
        for (topic, TopicShare { tally, groups }) in &self.topics {
            out.extend_from_slice(&(topic.len() as u16).to_le_bytes());
            out.extend_from_slice(topic.as_bytes());
            out.extend_from_slice(&tally.events.to_le_bytes());
            out.extend_from_slice(&tally.bytes.to_le_bytes());
            out.extend_from_slice(&tally.first_timestamp_ns.to_le_bytes());
            out.extend_from_slice(&tally.last_timestamp_ns.to_le_bytes());
            out.extend_from_slice(groups);
            out.resize(out.len() + bits.saturating_sub(groups.len()), 0);
        }
        salt.seal(&mut out);
        out
    }

    /// `None` where `bytes` are not a directory, whole and unharmed.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let mut fields = Fields::new(salt.unseal(bytes)?);
        let magic: [u8; 4] = fields.array()?;
        let (groups, topics) = (fields.u32()?, fields.u32()?);
        let groups = (0..groups).map(|_| decode_group(&mut fields)).collect::<Option<Vec<_>>>()?;
        let bits = groups.len().div_ceil(8);
        let topics = (0..topics).map(|_| decode_topic(&mut fields, bits)).collect::<Option<_>>()?;
        let ordered =
            groups.windows(2).all(|pair| pair[0].last_seq < pair[1].first_seq && pair[0].end() == pair[1].offset);
        (magic == MAGIC && fields.is_empty() && ordered && !groups.is_empty()).then_some(Self { groups, topics })
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

fn decode_topic(fields: &mut Fields<'_>, bits: usize) -> Option<(Box<str>, TopicShare)> {
    let len = fields.u16()?;
    let topic = fields.str(len.into())?.into();
    let tally = Tally {
        events: fields.u64()?,
        bytes: fields.u64()?,
        first_timestamp_ns: fields.i64()?,
        last_timestamp_ns: fields.i64()?,
    };
    Some((topic, TopicShare { tally, groups: fields.take(bits)?.into() }))
}

/// Where the parts of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) version: u32,
    pub(super) partition: u32,
    pub(super) store_id: u128,
    pub(super) directory_offset: u64,
    pub(super) directory_len: u64,
    pub(super) page_index_len: u64,
    pub(super) footer_len: u64,
    /// Of the page indexes and the footer.
    pub(super) parquet_checksum: u64,
}

impl Anchor {
    /// Where Parquet's page indexes begin.
    pub(super) fn page_index_offset(&self) -> u64 {
        self.directory_offset.saturating_add(self.directory_len).saturating_add(ANCHOR_BYTES as u64)
    }

    /// Where the second directory begins.
    pub(super) fn second_offset(&self) -> u64 {
        self.page_index_offset().saturating_add(self.page_index_len)
    }

    /// Where Parquet's footer begins.
    pub(super) fn footer_offset(&self) -> u64 {
        self.second_offset().saturating_add(self.directory_len).saturating_add(ANCHOR_BYTES as u64)
    }

    /// Length of the whole file.
    pub(super) fn file_len(&self) -> u64 {
        self.footer_offset().saturating_add(self.footer_len)
    }

    pub(super) fn encode(&self, salt: Salt) -> [u8; ANCHOR_BYTES] {
        let mut bytes = [0; ANCHOR_BYTES];
        bytes[..8].copy_from_slice(&ANCHOR_MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.partition.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.store_id.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.directory_offset.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.directory_len.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.page_index_len.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.footer_len.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.parquet_checksum.to_le_bytes());
        let checksum = xxh3_64_with_seed(&bytes[..ANCHOR_CHECKSUM_AT], salt.0);
        bytes[ANCHOR_CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The anchor at the front of `bytes`; `None` where there is none.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic: [u8; 8] = fields.array()?;
        let anchor = Self {
            version: fields.u32()?,
            partition: fields.u32()?,
            store_id: u128::from_le_bytes(fields.array()?),
            directory_offset: fields.u64()?,
            directory_len: fields.u64()?,
            page_index_len: fields.u64()?,
            footer_len: fields.u64()?,
            parquet_checksum: fields.u64()?,
        };
        let valid =
            magic == ANCHOR_MAGIC && fields.u64()? == xxh3_64_with_seed(bytes.get(..ANCHOR_CHECKSUM_AT)?, salt.0);
        valid.then_some(anchor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn directory(groups: usize, topics: &[String]) -> Directory {
        let mut directory = Directory::default();
        let mut offset = 4;
        for number in 0..groups as u64 {
            let (first_timestamp_ns, last_timestamp_ns) = (-5, number as i64);
            let group = RowGroup {
                offset,
                len: 10,
                index_len: 3,
                first_seq: number * 10 + 1,
                last_seq: number * 10 + 9,
                rows: 9,
                bytes: 99,
                first_timestamp_ns,
                last_timestamp_ns,
            };
            offset = group.end();
            let tally = Tally { events: 9, bytes: 99, first_timestamp_ns, last_timestamp_ns };
            let here = topics.iter().enumerate().filter(|(at, _)| (number as usize + at).is_multiple_of(3));
            directory.push(group, here.map(|(_, topic)| (topic.as_str(), tally)));
        }
        directory
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
            prop_assert_eq!(&decoded.groups, &directory.groups);
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

        #[test]
        fn an_anchor_comes_back_and_every_flip_is_seen(numbers: [u64; 5], at in 0..ANCHOR_BYTES, bit in 0..8_u32) {
            let [directory_offset, directory_len, page_index_len, footer_len, parquet_checksum] = numbers;
            let anchor = Anchor { version: 1, partition: 2, store_id: 3, directory_offset, directory_len, page_index_len, footer_len, parquet_checksum };
            let mut bytes = anchor.encode(Salt(1));
            prop_assert_eq!(Anchor::decode(&bytes, Salt(1)), Some(anchor));
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Anchor::decode(&bytes, Salt(1)), None);
        }
    }
}
