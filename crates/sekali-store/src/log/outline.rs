//! What is where in a log file: its extents, and the topics in each.
//!
//! An **extent** is a run of blocks of at least 64 KiB (the last may be shorter). An event is found by its seq with one binary search
//! and one read of an extent; a topic by its list of extents. At 265 bytes an event, 100 million events are 400,000 extents: 16 bytes each, plus 4
//! for every topic that occurs in one.
//!
//! The outline of a closed file never changes and is saved beside it (`.outline`): a cache, written without a sync and
//! trusted only with its checksum. All integers are little-endian:
//!
//! ```text
//! "SEKOUTL1"
//! first seq, first commit, checksum of the frame before      8 each: must match the file's header
//! end of the file's frames                                    8
//! position after the file: next seq, next commit, checksum of the last frame, durable mark, four totals,
//!   received_at, upstream flag (0 or 1), upstream position    8 each
//! number of extents                                           8
//!   offset, first seq                                         8 each
//! number of topics                                            8
//!   length of the topic, topic                                2 + n
//!   events, bytes, first timestamp, last timestamp            8 each
//!   number of extents, their numbers                          4 each
//! XXH3-64 of all before, seeded with the salt                 8
//! ```

use std::collections::HashMap;

use super::header::FileHeader;
use super::recovery::Position;
use super::{Salt, block::Block, row};
use crate::bytes::Fields;
use crate::counters::Counters;
use crate::event::EventRef;
use crate::limits::EXTENT_BYTES;

const MAGIC: [u8; 8] = *b"SEKOUTL1";

/// Where an extent begins: at the header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) first_seq: u64,
}

/// Counts of a topic's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) events: u64,
    /// Bytes of its rows.
    pub(crate) bytes: u64,
    pub(crate) first_timestamp_ns: i64,
    pub(crate) last_timestamp_ns: i64,
}

impl Tally {
    const EMPTY: Self = Self { events: 0, bytes: 0, first_timestamp_ns: i64::MAX, last_timestamp_ns: i64::MIN };

    fn of(event: &EventRef<'_>) -> Self {
        let texts = event.topic.len() + event.event_id.len() + event.source.len() + event.payload.len();
        Self {
            events: 1,
            bytes: (row::HEADER_BYTES + texts) as u64,
            first_timestamp_ns: event.timestamp_ns,
            last_timestamp_ns: event.timestamp_ns,
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.bytes += other.bytes;
        self.first_timestamp_ns = self.first_timestamp_ns.min(other.first_timestamp_ns);
        self.last_timestamp_ns = self.last_timestamp_ns.max(other.last_timestamp_ns);
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A topic's share of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) tally: Tally,
    /// Numbers of the extents that hold it, ascending.
    pub(crate) extents: Vec<u32>,
}

/// What is where in a log file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) extents: Vec<Extent>,
    pub(crate) topics: HashMap<Box<str>, Share>,
    /// Where the last frame ends.
    pub(crate) end: u64,
    /// The seq after the last row.
    pub(crate) end_seq: u64,
}

/// What one frame adds to an outline. Computed apart, so that the outline is locked only to take it in.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    extents: Vec<Extent>,
    pub(crate) topics: HashMap<&'a str, Share>,
    end: u64,
    end_seq: u64,
}

impl Outline {
    /// What blocks add that stand at these offsets of the file, up to `end` and `end_seq`.
    pub(crate) fn growth<'a>(
        &self,
        blocks: impl Iterator<Item = (u64, Block<'a>)>,
        end: u64,
        end_seq: u64,
    ) -> Growth<'a> {
        let mut extents = Vec::new();
        let mut topics = HashMap::<&str, Share>::new();
        let mut last = self.extents.last().copied();
        for (offset, block) in blocks {
            if last.is_none_or(|extent| offset - extent.offset >= EXTENT_BYTES) {
                let extent = Extent { offset, first_seq: block.first_seq };
                extents.push(extent);
                last = Some(extent);
            }
            let number = (self.extents.len() + extents.len() - 1) as u32;
            for (_, event) in block.rows() {
                let share = topics.entry(event.topic).or_default();
                share.tally.add(&Tally::of(&event));
                if share.extents.last() != Some(&number) {
                    share.extents.push(number);
                }
            }
        }
        Growth { extents, topics, end, end_seq }
    }

    /// Takes in what [`Outline::growth`] computed.
    pub(crate) fn grow(&mut self, growth: Growth<'_>) {
        self.extents.extend(growth.extents);
        for (topic, added) in growth.topics {
            if !self.topics.contains_key(topic) {
                self.topics.insert(topic.into(), Share::default());
            }
            if let Some(share) = self.topics.get_mut(topic) {
                share.tally.add(&added.tally);
                let known = usize::from(share.extents.last().is_some_and(|last| added.extents.first() == Some(last)));
                share.extents.extend(added.extents.iter().skip(known));
            }
        }
        (self.end, self.end_seq) = (growth.end, growth.end_seq);
    }

    /// The bytes of extent `number`, and the seqs it may hold.
    pub(crate) fn extent(&self, number: u32) -> Option<ExtentSpan> {
        let number = number as usize;
        let Extent { offset, first_seq } = *self.extents.get(number)?;
        let next = self.extents.get(number + 1);
        Some(ExtentSpan {
            offset,
            end: next.map_or(self.end, |next| next.offset),
            first_seq,
            end_seq: next.map_or(self.end_seq, |next| next.first_seq),
        })
    }

    /// Saves the outline of a closed file.
    pub(crate) fn encode(&self, header: &FileHeader, after: &Position, salt: Salt) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put(&mut out, &[header.first_seq, header.first_commit, header.previous, self.end]);
        put(&mut out, &[after.next_seq, after.next_commit, after.previous, after.durable_commit]);
        put(&mut out, &after.totals.as_array());
        put(&mut out, &[after.received_at_ns as u64, after.upstream.is_some().into(), after.upstream.unwrap_or(0)]);
        put(&mut out, &[self.extents.len() as u64]);
        for extent in &self.extents {
            put(&mut out, &[extent.offset, extent.first_seq]);
        }
        put(&mut out, &[self.topics.len() as u64]);
        for (topic, Share { tally, extents }) in &self.topics {
            out.extend_from_slice(&(topic.len() as u16).to_le_bytes());
            out.extend_from_slice(topic.as_bytes());
            let timestamps = [tally.first_timestamp_ns, tally.last_timestamp_ns].map(|ns| ns as u64);
            put(&mut out, &[tally.events, tally.bytes, timestamps[0], timestamps[1]]);
            out.extend_from_slice(&(extents.len() as u32).to_le_bytes());
            extents.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        }
        salt.seal(&mut out);
        out
    }

    /// Reads a saved outline back; `None` where it is not the outline of the file with this header.
    pub(crate) fn decode(bytes: &[u8], header: &FileHeader, salt: Salt) -> Option<(Self, Position)> {
        let mut fields = Fields::new(salt.unseal(bytes)?);
        let theirs = (fields.array()?, fields.u64()?, fields.u64()?, fields.u64()?);
        if theirs != (MAGIC, header.first_seq, header.first_commit, header.previous) {
            return None;
        }
        let end = fields.u64()?;
        let after = decode_position(&mut fields)?;
        let extents = (0..fields.u64()?)
            .map(|_| Some(Extent { offset: fields.u64()?, first_seq: fields.u64()? }))
            .collect::<Option<_>>()?;
        let topics = (0..fields.u64()?).map(|_| decode_topic(&mut fields)).collect::<Option<_>>()?;
        let outline = Self { extents, topics, end, end_seq: after.next_seq };
        fields.is_empty().then_some((outline, after))
    }
}

fn put(out: &mut Vec<u8>, words: &[u64]) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

fn decode_position(fields: &mut Fields<'_>) -> Option<Position> {
    Some(Position {
        next_seq: fields.u64()?,
        next_commit: fields.u64()?,
        previous: fields.u64()?,
        durable_commit: fields.u64()?,
        totals: Counters {
            received: fields.u64()?,
            stored: fields.u64()?,
            duplicates: fields.u64()?,
            conflicts: fields.u64()?,
        },
        received_at_ns: fields.i64()?,
        upstream: match (fields.u64()?, fields.u64()?) {
            (0, _) => None,
            (_, position) => Some(position),
        },
    })
}

fn decode_topic(fields: &mut Fields<'_>) -> Option<(Box<str>, Share)> {
    let len = fields.u16()?;
    let topic = fields.str(len.into())?;
    let tally = Tally {
        events: fields.u64()?,
        bytes: fields.u64()?,
        first_timestamp_ns: fields.i64()?,
        last_timestamp_ns: fields.i64()?,
    };
    let extents = (0..fields.u32()?).map(|_| fields.u32()).collect::<Option<_>>()?;
    Some((topic.into(), Share { tally, extents }))
}

/// Where an extent is and what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExtentSpan {
    pub(crate) offset: u64,
    pub(crate) end: u64,
    pub(crate) first_seq: u64,
    /// The first seq behind it.
    pub(crate) end_seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::frame::{self, Builder, Header};

    fn outline_of(frames: u64, rows: u64) -> Outline {
        let salt = Salt(1);
        let mut outline = Outline::default();
        let (mut offset, mut seq) = (64, 1);
        let mut builder = Builder::new(salt);
        for commit in 1..=frames {
            builder.begin(seq, 0);
            for n in 0..rows {
                let topic = if n % 3 == 0 { "thirds" } else { "rest" };
                let mut bytes = Vec::new();
                let payload = [b' '; 300];
                row::encode(
                    &EventRef { topic, event_id: "e", timestamp_ns: n as i64, source: "s", payload: &payload },
                    &mut bytes,
                );
                builder.push(&bytes);
            }
            let header = Header {
                commit,
                durable_commit: commit - 1,
                first_seq: seq,
                received_at_ns: 0,
                upstream: None,
                counts: Counters::default(),
                totals: Counters::default(),
                previous: 0,
            };
            let bytes = builder.finish(&header);
            let frame = frame::decode(bytes, salt).unwrap();
            let end = offset + frame.len as u64;
            let blocks = frame.blocks().map(|(at, block)| (offset + at as u64, block));
            let growth = outline.growth(blocks, end, frame.end_seq());
            outline.grow(growth);
            (offset, seq) = (end, frame.end_seq());
        }
        outline
    }

    #[test]
    fn every_seq_has_its_extent_and_every_topic_its_share() {
        for (frames, rows) in [(1, 1), (2_000, 1), (3, 2_000)] {
            let outline = outline_of(frames, rows);
            let count = frames * rows;
            assert_eq!(outline.end_seq, count + 1);
            for seq in 1..=count {
                let after = outline.extents.partition_point(|extent| extent.first_seq <= seq);
                let span = outline.extent(after as u32 - 1).unwrap();
                assert!(span.first_seq <= seq && seq < span.end_seq);
                assert!(span.end - span.offset <= 2 * EXTENT_BYTES + 1024);
            }
            assert_eq!(outline.topics.values().map(|share| share.tally.events).sum::<u64>(), count);
            let all = (0..outline.extents.len() as u32).collect::<Vec<_>>();
            assert_eq!(outline.topics["thirds"].extents, all);
        }
    }

    #[test]
    fn saved_outlines_read_back_and_damaged_ones_do_not() {
        let outline = outline_of(3, 2_000);
        let header = FileHeader { partition: 0, store_id: 1, first_seq: 1, first_commit: 1, previous: 0 };
        let after = Position { next_seq: 6_001, upstream: Some(0), received_at_ns: -1, ..Position::default() };
        let bytes = outline.encode(&header, &after, Salt(1));
        assert_eq!(Outline::decode(&bytes, &header, Salt(1)), Some((outline, after)));
        assert_eq!(Outline::decode(&bytes, &FileHeader { first_commit: 2, ..header }, Salt(1)), None);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(Outline::decode(&damaged, &header, Salt(1)), None);
            assert_eq!(Outline::decode(&bytes[..at], &header, Salt(1)), None);
        }
    }
}
