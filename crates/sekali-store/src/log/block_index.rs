//! Block index of a log file: its extents, and the topics in each.
//!
//! An **extent** is a run of blocks of at least 64 KiB (the last may be shorter). An event is found
//! by its seq with one binary search and one read of an extent; a topic by its list of extents. At
//! 265 bytes an event, 100 million events are 400,000 extents of 16 bytes each. [`packed_topics`]
//! has what topics take.

mod packed_topics;
mod saved;
mod topics;

use std::collections::HashMap;

use super::block::Block;
use super::row;
use crate::error::Result;
use crate::invariant::invariant;
use crate::limits::EXTENT_BYTES;
use crate::tally::Tally;

pub(crate) use topics::{FileTopics, TopicExtents};

/// Where an extent begins: at the header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) first_seq: u64,
}

/// The extents of a log file, and the topics in each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockIndex {
    pub(crate) extents: Vec<Extent>,
    pub(crate) topics: FileTopics,
    /// Where the last frame ends.
    pub(crate) end: u64,
    /// The seq after the last row.
    pub(crate) end_seq: u64,
}

/// The additions of one frame to a block index. They are computed apart, so that the block index is
/// locked only to merge them.
#[derive(Debug)]
pub(crate) struct BlockIndexDelta<'a> {
    extents: Vec<Extent>,
    pub(crate) topics: HashMap<&'a str, TopicExtents>,
    end: u64,
    end_seq: u64,
}

impl BlockIndex {
    /// Computes the additions of blocks at these offsets of the file, up to `end` and `end_seq`.
    pub(crate) fn delta<'a>(
        &self,
        blocks: impl Iterator<Item = (u64, Block<'a>)>,
        end: u64,
        end_seq: u64,
    ) -> BlockIndexDelta<'a> {
        let mut extents = Vec::new();
        let mut topics = HashMap::<&str, TopicExtents>::new();
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
                share.tally.add(&Tally::one(row::len(&event) as u64, event.timestamp_ns));
                if share.extents.last() != Some(&number) {
                    share.extents.push(number);
                }
            }
        }
        BlockIndexDelta { extents, topics, end, end_seq }
    }

    /// Takes in what [`BlockIndex::delta`] computed.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where it is not about what follows.
    pub(crate) fn grow(&mut self, delta: BlockIndexDelta<'_>) -> Result<()> {
        invariant!(delta.end >= self.end && delta.end_seq >= self.end_seq, "a log file has shrunk");
        let follow = |last: &Extent| delta.extents.first().is_none_or(|extent| extent.offset > last.offset);
        invariant!(self.extents.last().is_none_or(follow), "an extent lies before another");
        self.topics.grow(delta.topics)?;
        self.extents.extend(delta.extents);
        (self.end, self.end_seq) = (delta.end, delta.end_seq);
        Ok(())
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
    use crate::counters::Counters;
    use crate::event::EventRef;
    use crate::log::frame::{self, FrameBuilder, FrameHeader};
    use crate::log::header::FileHeader;
    use crate::log::position::LogPosition;
    use crate::log::row;
    use crate::salt::Salt;

    fn block_index_of(frames: u64, rows: u64) -> BlockIndex {
        let salt = Salt(1);
        let mut block_index = BlockIndex::default();
        let (mut offset, mut seq) = (64, 1);
        let mut builder = FrameBuilder::new(salt);
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
            let header = FrameHeader {
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
            let delta = block_index.delta(blocks, end, frame.end_seq());
            block_index.grow(delta).unwrap();
            (offset, seq) = (end, frame.end_seq());
        }
        block_index
    }

    #[test]
    fn every_seq_has_its_extent_and_every_topic_its_share() {
        for (frames, rows) in [(1, 1), (2_000, 1), (3, 2_000)] {
            let block_index = block_index_of(frames, rows);
            let count = frames * rows;
            assert_eq!(block_index.end_seq, count + 1);
            for seq in 1..=count {
                let after = block_index.extents.partition_point(|extent| extent.first_seq <= seq);
                let span = block_index.extent(after as u32 - 1).unwrap();
                assert!(span.first_seq <= seq && seq < span.end_seq);
                assert!(span.end - span.offset <= 2 * EXTENT_BYTES + 1024);
            }
            let all = (0..block_index.extents.len() as u32).collect::<Vec<_>>();
            let settled = block_index.topics.settled().unwrap();
            for topics in [&block_index.topics, &settled] {
                let tally = |topic| topics.tally(topic).map_or(0, |tally| tally.events);
                assert_eq!(tally("thirds") + tally("rest"), count);
                assert_eq!(topics.extents("thirds").as_deref(), Some(&all[..]));
            }
        }
    }

    #[test]
    fn saved_outlines_read_back_and_damaged_ones_do_not() {
        let mut block_index = block_index_of(3, 2_000);
        block_index.topics = block_index.topics.settled().unwrap();
        let header = FileHeader { partition: 0, store_id: 1, first_seq: 1, first_commit: 1, previous: 0 };
        let after = LogPosition { next_seq: 6_001, upstream: Some(0), received_at_ns: -1, ..LogPosition::default() };
        let bytes = block_index.encode(&header, &after, Salt(1));
        assert_eq!(BlockIndex::decode(&bytes, &header, Salt(1)), Some((block_index, after)));
        assert_eq!(BlockIndex::decode(&bytes, &FileHeader { first_commit: 2, ..header }, Salt(1)), None);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            assert_eq!(BlockIndex::decode(&damaged, &header, Salt(1)), None);
            assert_eq!(BlockIndex::decode(&bytes[..at], &header, Salt(1)), None);
        }
    }
}
