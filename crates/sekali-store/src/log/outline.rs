//! What is where in a log file: its extents, and the topics in each.
//!
//! An **extent** is a run of blocks of at least 64 KiB (the last may be shorter). An event is found by its seq with one binary search
//! and one read of an extent; a topic by its list of extents. At 265 bytes an event, 100 million events are 400,000 extents of
//! 16 bytes each. [`roster`] has what topics take.

mod roster;
mod saved;
mod topics;

use std::collections::HashMap;

use super::block::Block;
use crate::limits::EXTENT_BYTES;

pub(crate) use topics::{Share, Tally, Topics};

/// Where an extent begins: at the header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) offset: u64,
    pub(crate) first_seq: u64,
}

/// What is where in a log file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) extents: Vec<Extent>,
    pub(crate) topics: Topics,
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
        self.topics.grow(growth.topics);
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
    use crate::log::frame::{self, Builder, Header};
    use crate::log::header::FileHeader;
    use crate::log::recovery::Position;
    use crate::log::{Salt, row};

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
            let all = (0..outline.extents.len() as u32).collect::<Vec<_>>();
            let settled = outline.topics.settled().unwrap();
            for topics in [&outline.topics, &settled] {
                let tally = |topic| topics.tally(topic).map_or(0, |tally| tally.events);
                assert_eq!(tally("thirds") + tally("rest"), count);
                assert_eq!(topics.extents("thirds").as_deref(), Some(&all[..]));
            }
        }
    }

    #[test]
    fn saved_outlines_read_back_and_damaged_ones_do_not() {
        let mut outline = outline_of(3, 2_000);
        outline.topics = outline.topics.settled().unwrap();
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
