//! Block indexes of closed files, as they are saved beside them (`.outline`): a cache, written
//! without a sync and trusted only with its checksum. All integers are little-endian:
//!
//! ```text
//! "SEKOUTL1"
//! first seq, first commit, checksum of the frame before      8 each: must match the file's header
//! end of the file's frames                                    8
//! position after the file: next seq, next commit, checksum of the last frame, durable mark, four
//!   totals, received_at, upstream flag (0 or 1), upstream position
//!                                                             8 each
//! number of extents                                           8
//!   offset, first seq                                         8 each
//! number of topics                                            8
//!   length of the topic, topic                                2 + n
//!   events, bytes, first timestamp, last timestamp            8 each
//!   number of extents, their numbers                          4 each
//! XXH3-64 of all before, seeded with the salt                 8
//! ```

use super::packed_topics::{PackedTopics, PackedTopicsBuilder};
use super::{BlockIndex, Extent, FileTopics, Tally};
use crate::bytes::Fields;
use crate::counters::Counters;
use crate::log::header::FileHeader;
use crate::log::position::LogPosition;
use crate::salt::Salt;

const MAGIC: [u8; 8] = *b"SEKOUTL1";

impl BlockIndex {
    /// Encodes the block index of a closed file.
    pub(crate) fn encode(&self, header: &FileHeader, after: &LogPosition, salt: Salt) -> Vec<u8> {
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
        self.topics.visit(|topic, tally, extents| {
            out.extend_from_slice(&(topic.len() as u16).to_le_bytes());
            out.extend_from_slice(topic.as_bytes());
            let timestamps = [tally.first_timestamp_ns, tally.last_timestamp_ns].map(|ns| ns as u64);
            put(&mut out, &[tally.events, tally.bytes, timestamps[0], timestamps[1]]);
            out.extend_from_slice(&(extents.len() as u32).to_le_bytes());
            extents.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        });
        salt.seal(&mut out);
        out
    }

    /// Reads a saved block index back; `None` where it is not the block index of the file with this
    /// header.
    pub(crate) fn decode(bytes: &[u8], header: &FileHeader, salt: Salt) -> Option<(Self, LogPosition)> {
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
        let topics = FileTopics::Settled(decode_topics(&mut fields)?);
        let block_index = Self { extents, topics, end, end_seq: after.next_seq };
        fields.is_empty().then_some((block_index, after))
    }
}

fn put(out: &mut Vec<u8>, words: &[u64]) {
    words.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
}

fn decode_position(fields: &mut Fields<'_>) -> Option<LogPosition> {
    Some(LogPosition {
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

fn decode_topics(fields: &mut Fields<'_>) -> Option<PackedTopics> {
    let mut packed = PackedTopicsBuilder::default();
    for _ in 0..fields.u64()? {
        let len = fields.u16()?;
        let topic = fields.str(len.into())?;
        let tally = Tally {
            events: fields.u64()?,
            bytes: fields.u64()?,
            first_timestamp_ns: fields.i64()?,
            last_timestamp_ns: fields.i64()?,
        };
        let extents = (0..fields.u32()?).map(|_| fields.u32()).collect::<Option<Vec<_>>>()?;
        packed.push(topic, &tally, &extents)?;
    }
    Some(packed.finish())
}
