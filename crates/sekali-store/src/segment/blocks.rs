//! Which topics of a row group stand where in its index.
//!
//! An index has one checksum, and with very many topics it is megabytes. So that a topic can be
//! looked up without reading all of it each time, the reader that first reads and verifies it
//! remembers, for each block of its topics, which is the first and a checksum: some 50 bytes for 8
//! KiB.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::table::TopicTable;
use crate::limits::SEGMENT_TOPICS_BYTES;
use crate::salt::Salt;

/// The blocks of topics of an index.
#[derive(Debug)]
pub(super) struct TopicBlocks {
    blocks: Vec<TopicBlock>,
    /// Where they end in the index.
    end: u32,
}

#[derive(Debug)]
struct TopicBlock {
    first: Box<str>,
    /// Where it begins in the index.
    offset: u32,
    checksum: u64,
}

impl TopicBlocks {
    /// Divides topics that stand at this offset of an index.
    pub(super) fn new(topics: &TopicTable, offset: u32, salt: Salt) -> Self {
        let (starts, bytes) = (topics.starts(), topics.bytes());
        let (mut blocks, mut number) = (Vec::new(), 0);
        while let Some((&start, (first, _))) = starts.get(number).zip(topics.get(number)) {
            let full = starts.partition_point(|&other| other < start.saturating_add(SEGMENT_TOPICS_BYTES as u32));
            number = full.max(number + 1);
            let end = starts.get(number).map_or(bytes.len(), |&end| end as usize);
            let block = bytes.get(start as usize..end).unwrap_or_default();
            let checksum = xxh3_64_with_seed(block, salt.0);
            blocks.push(TopicBlock { first: first.into(), offset: offset + start, checksum });
        }
        Self { blocks, end: offset + bytes.len() as u32 }
    }

    /// All of them.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.blocks.len()
    }

    /// The one that has this topic, if any has.
    pub(super) fn holding(&self, topic: &str) -> Range<usize> {
        let after = self.blocks.partition_point(|block| &*block.first <= topic);
        after.saturating_sub(1)..after
    }

    /// Where these stand in the index.
    pub(super) fn place(&self, blocks: &Range<usize>) -> Range<u32> {
        self.offset(blocks.start)..self.offset(blocks.end)
    }

    /// Whether `bytes`, which stand where these do, are what they were.
    pub(super) fn verify(&self, blocks: Range<usize>, bytes: &[u8], salt: Salt) -> bool {
        let base = self.offset(blocks.start);
        blocks.into_iter().all(|number| {
            let place = (self.offset(number) - base) as usize..(self.offset(number + 1) - base) as usize;
            let checksum = bytes.get(place).map(|block| xxh3_64_with_seed(block, salt.0));
            checksum.is_some() && checksum == self.blocks.get(number).map(|block| block.checksum)
        })
    }

    /// Where a block begins; where the last ends, for the one behind it.
    fn offset(&self, number: usize) -> u32 {
        self.blocks.get(number).map_or(self.end, |block| block.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(count: usize) -> TopicTable {
        let mut topics = TopicTable::default();
        (0..count).for_each(|number| topics.push(&format!("topic-{number:06}"), |out| out.extend_from_slice(&[7; 32])));
        topics
    }

    #[test]
    fn every_topic_is_in_the_block_that_is_said_to_hold_it_and_damage_is_seen() {
        let (salt, offset) = (Salt(3), 100);
        for count in [1, 100, 2_000] {
            let topics = topics(count);
            let blocks = TopicBlocks::new(&topics, offset, salt);
            assert_eq!(blocks.all().len(), (topics.bytes().len()).div_ceil(SEGMENT_TOPICS_BYTES), "{count}");
            let of =
                |place: Range<u32>| &topics.bytes()[(place.start - offset) as usize..(place.end - offset) as usize];
            assert!(blocks.verify(blocks.all(), of(blocks.place(&blocks.all())), salt));
            for number in (0..count).step_by(17) {
                let topic = format!("topic-{number:06}");
                let block = blocks.holding(&topic);
                let bytes = of(blocks.place(&block));
                assert!(TopicTable::decode(bytes, 32).is_some_and(|table| table.find(&topic).is_some()));
                let mut damaged = bytes.to_vec();
                damaged[number % bytes.len()] ^= 1;
                assert!(blocks.verify(block.clone(), bytes, salt) && !blocks.verify(block, &damaged, salt));
            }
            assert!(blocks.holding("a").is_empty());
            assert_eq!(blocks.holding("z").end, blocks.all().end);
        }
    }
}
