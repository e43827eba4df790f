//! One commit as bytes: a header, then the rows in blocks.
//!
//! ```text
//! offset size
//!      0    8  "SEKFRAME"
//!      8    4  flags: bit 0, there is an upstream position
//!     12    4  bytes of the body (the blocks behind this header); 0 where nothing was stored
//!     16    4  rows in the body: stored events and conflict evidence
//!     20    4  blocks in the body
//!     24    8  commit number: 1, 2, 3, … along the partition
//!     32    8  durable mark: all commits up to this number were durable when this frame began
//!     40    8  seq of the first row; where there is none, of the next row to come
//!     48    8  received_at, nanoseconds since 1970-01-01T00:00:00Z
//!     56    8  upstream position; 0 where there is none
//!     64    4  events received in this commit
//!     68    4  of them stored
//!     72    4  of them duplicates, conflicts included
//!     76    4  of them conflicts
//!     80   32  the same four as totals of the partition, this commit included; 8 bytes each
//!    112    8  checksum (bytes 128..136) of the header of the frame before; 0 for the first commit
//!    120    8  XXH3-64 of the block headers one after the other, seeded with the salt
//!    128    8  XXH3-64 of bytes 0..128, seeded with the salt
//!    136       blocks
//! ```
//!
//! A block header holds the checksum of its rows, the frame header that of the block headers, and
//! the next frame that of this header: a chain over every byte of the partition. Totals are there
//! so that counters survive the loss of a frame.

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use super::block;
use crate::bytes::Fields;
use crate::counters::Counters;
use crate::limits::BLOCK_BYTES;
use crate::salt::Salt;

pub(crate) const MAGIC: [u8; 8] = *b"SEKFRAME";
/// Bytes of a frame besides its body.
pub(crate) const HEADER_BYTES: usize = 136;
const CHECKSUM_AT: usize = 128;
const FLAG_UPSTREAM: u32 = 1;

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) commit: u64,
    /// Every commit up to this number was durable when the frame was written.
    pub(crate) durable_commit: u64,
    pub(crate) first_seq: u64,
    pub(crate) received_at_ns: i64,
    pub(crate) upstream: Option<u64>,
    /// Counts of the events that this commit received, by outcome; each below 2^32.
    pub(crate) counts: Counters,
    /// The partition's counters after this commit.
    pub(crate) totals: Counters,
    /// Checksum of the header of the frame before.
    pub(crate) previous: u64,
}

/// A verified frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) header: FrameHeader,
    pub(crate) row_count: u32,
    /// Checksum of the header: what the next frame names as its previous.
    pub(crate) checksum: u64,
    /// Bytes of the whole frame.
    pub(crate) len: usize,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The seq after the last row.
    pub(crate) fn end_seq(&self) -> u64 {
        self.header.first_seq + u64::from(self.row_count)
    }

    /// Its blocks, each with its offset from the start of the frame.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, block::Block<'a>)> + use<'a> {
        blocks_of(self.body, block::decode_verified)
    }
}

/// The blocks of `body`, each with its offset from the start of the frame, up to the first that
/// does not decode.
fn blocks_of<'a>(
    body: &'a [u8],
    decode: impl Fn(&'a [u8]) -> Option<block::Block<'a>>,
) -> impl Iterator<Item = (usize, block::Block<'a>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let block = decode(body.get(at..)?)?;
        let offset = HEADER_BYTES + at;
        at += block.len;
        Some((offset, block))
    })
}

/// The frame at the front of `bytes`, with every checksum verified; `None` where there is none.
pub(crate) fn decode(bytes: &[u8], salt: Salt) -> Option<Frame<'_>> {
    let raw = decode_header(bytes, salt)?;
    let body = bytes.get(HEADER_BYTES..HEADER_BYTES.checked_add(raw.body_len)?)?;
    let frame = Frame {
        header: raw.header,
        row_count: raw.row_count,
        checksum: raw.checksum,
        len: HEADER_BYTES + raw.body_len,
        body,
    };
    let mut heads = Xxh3::with_seed(salt.0);
    let (mut len, mut rows, mut blocks) = (0, 0_u32, 0);
    for (offset, block) in blocks_of(body, |bytes| block::decode(bytes, salt)) {
        if block.first_seq != frame.header.first_seq + u64::from(rows) {
            return None;
        }
        heads.update(body.get(offset - HEADER_BYTES..)?.get(..block::HEADER_BYTES)?);
        len += block.len;
        rows = rows.checked_add(block.row_count)?;
        blocks += 1;
    }
    let whole = len == body.len() && rows == raw.row_count && blocks == raw.block_count && heads.digest() == raw.heads;
    whole.then_some(frame)
}

struct RawHeader {
    header: FrameHeader,
    body_len: usize,
    row_count: u32,
    block_count: u32,
    heads: u64,
    checksum: u64,
}

fn decode_header(bytes: &[u8], salt: Salt) -> Option<RawHeader> {
    let mut fields = Fields::new(bytes);
    if fields.array()? != MAGIC {
        return None;
    }
    let flags = fields.u32()?;
    let body_len = fields.u32()? as usize;
    let (row_count, block_count) = (fields.u32()?, fields.u32()?);
    let (commit, durable_commit, first_seq) = (fields.u64()?, fields.u64()?, fields.u64()?);
    let received_at_ns = fields.i64()?;
    let position = fields.u64()?;
    let counts = Counters {
        received: fields.u32()?.into(),
        stored: fields.u32()?.into(),
        duplicates: fields.u32()?.into(),
        conflicts: fields.u32()?.into(),
    };
    let totals = Counters {
        received: fields.u64()?,
        stored: fields.u64()?,
        duplicates: fields.u64()?,
        conflicts: fields.u64()?,
    };
    let (previous, heads, checksum) = (fields.u64()?, fields.u64()?, fields.u64()?);
    if checksum != xxh3_64_with_seed(bytes.get(..CHECKSUM_AT)?, salt.0) {
        return None;
    }
    // Nothing could follow such numbers, so nobody wrote them.
    if commit == u64::MAX || first_seq.checked_add(row_count.into()).is_none() {
        return None;
    }
    let upstream = (flags & FLAG_UPSTREAM != 0).then_some(position);
    let header = FrameHeader { commit, durable_commit, first_seq, received_at_ns, upstream, counts, totals, previous };
    Some(RawHeader { header, body_len, row_count, block_count, heads, checksum })
}

/// Whether a frame's header stands at the front of `bytes`, and if so how many bytes it has. The
/// body is not looked at.
pub(crate) fn header_len(bytes: &[u8], salt: Salt) -> Option<usize> {
    decode_header(bytes, salt).map(|_| HEADER_BYTES)
}

/// How far a frame had come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameCheckpoint {
    len: usize,
    blocks: usize,
    rows_sealed: u32,
    block_start: usize,
    block_rows: u32,
}

/// Builds a frame row by row. Reused from commit to commit, so that its buffer is allocated once.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    salt: Salt,
    bytes: Vec<u8>,
    /// Finished blocks: offset in the frame and first seq.
    blocks: Vec<(usize, u64)>,
    first_seq: u64,
    received_at_ns: i64,
    /// Rows in finished blocks.
    rows_sealed: u32,
    block_start: usize,
    block_rows: u32,
}

impl FrameBuilder {
    pub(crate) fn new(salt: Salt) -> Self {
        Self {
            salt,
            bytes: Vec::new(),
            blocks: Vec::new(),
            first_seq: 0,
            received_at_ns: 0,
            rows_sealed: 0,
            block_start: HEADER_BYTES,
            block_rows: 0,
        }
    }

    /// Begins a frame, dropping what was built before.
    pub(crate) fn begin(&mut self, first_seq: u64, received_at_ns: i64) {
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
        self.blocks.clear();
        (self.first_seq, self.received_at_ns) = (first_seq, received_at_ns);
        (self.rows_sealed, self.block_rows) = (0, 0);
        self.block_start = HEADER_BYTES;
    }

    /// Rows so far.
    pub(crate) fn row_count(&self) -> u32 {
        self.rows_sealed + self.block_rows
    }

    /// The seq of the next row.
    pub(crate) fn next_seq(&self) -> u64 {
        self.first_seq + u64::from(self.row_count())
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes, once the frame is complete.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The seq of the first row, as given to [`FrameBuilder::begin`].
    pub(crate) fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// The time of the commit, as given to [`FrameBuilder::begin`], in nanoseconds since 1970.
    pub(crate) fn received_at_ns(&self) -> i64 {
        self.received_at_ns
    }

    /// How far the frame has come.
    pub(crate) fn checkpoint(&self) -> FrameCheckpoint {
        FrameCheckpoint {
            len: self.bytes.len(),
            blocks: self.blocks.len(),
            rows_sealed: self.rows_sealed,
            block_start: self.block_start,
            block_rows: self.block_rows,
        }
    }

    /// Drops the rows that were pushed since `checkpoint`.
    pub(crate) fn roll_back(&mut self, checkpoint: FrameCheckpoint) {
        self.bytes.truncate(checkpoint.len);
        // A block that was open then, and has been sealed since, is open again: its header is
        // written when it is sealed.
        self.blocks.truncate(checkpoint.blocks);
        self.rows_sealed = checkpoint.rows_sealed;
        self.block_start = checkpoint.block_start;
        self.block_rows = checkpoint.block_rows;
    }

    /// Appends an encoded row; answers its seq, and where it is for [`FrameBuilder::row`].
    pub(crate) fn push(&mut self, row: &[u8]) -> (u64, usize) {
        let seq = self.next_seq();
        if self.block_rows == 0 {
            self.block_start = self.bytes.len();
            self.bytes.resize(self.block_start + block::HEADER_BYTES, 0);
        }
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(row);
        self.block_rows += 1;
        if self.bytes.len() - self.block_start >= BLOCK_BYTES {
            self.seal_block();
        }
        (seq, offset)
    }

    /// The frame from a row on, where [`FrameBuilder::push`] put it.
    pub(crate) fn row(&self, offset: usize) -> &[u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    fn seal_block(&mut self) {
        let first_seq = self.first_seq + u64::from(self.rows_sealed);
        let block = &mut self.bytes[self.block_start..];
        block::seal(block, self.block_rows, first_seq, self.received_at_ns, self.salt);
        self.blocks.push((self.block_start, first_seq));
        self.rows_sealed += self.block_rows;
        self.block_rows = 0;
    }

    /// Completes the frame. `header` names the same first seq and time as [`FrameBuilder::begin`]
    /// was given. Answers its bytes.
    pub(crate) fn finish(&mut self, header: &FrameHeader) -> &[u8] {
        debug_assert_eq!((header.first_seq, header.received_at_ns), (self.first_seq, self.received_at_ns));
        if self.block_rows > 0 {
            self.seal_block();
        }
        let mut heads = Xxh3::with_seed(self.salt.0);
        for &(offset, _) in &self.blocks {
            heads.update(&self.bytes[offset..offset + block::HEADER_BYTES]);
        }
        let body_len = (self.bytes.len() - HEADER_BYTES) as u32;
        let mut head = Vec::with_capacity(HEADER_BYTES);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&(if header.upstream.is_some() { FLAG_UPSTREAM } else { 0 }).to_le_bytes());
        head.extend_from_slice(&body_len.to_le_bytes());
        head.extend_from_slice(&self.rows_sealed.to_le_bytes());
        head.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        head.extend_from_slice(&header.commit.to_le_bytes());
        head.extend_from_slice(&header.durable_commit.to_le_bytes());
        head.extend_from_slice(&header.first_seq.to_le_bytes());
        head.extend_from_slice(&header.received_at_ns.to_le_bytes());
        head.extend_from_slice(&header.upstream.unwrap_or(0).to_le_bytes());
        for count in header.counts.as_array() {
            head.extend_from_slice(&(count as u32).to_le_bytes());
        }
        for total in header.totals.as_array() {
            head.extend_from_slice(&total.to_le_bytes());
        }
        head.extend_from_slice(&header.previous.to_le_bytes());
        head.extend_from_slice(&heads.digest().to_le_bytes());
        let checksum = xxh3_64_with_seed(&head, self.salt.0);
        head.extend_from_slice(&checksum.to_le_bytes());
        self.bytes[..HEADER_BYTES].copy_from_slice(&head);
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::EventRef;
    use crate::log::row;

    const SALT: Salt = Salt(42);

    fn build(payloads: &[Vec<u8>], upstream: Option<u64>) -> (Vec<u8>, FrameHeader) {
        let n = payloads.len() as u64;
        let counts = Counters { received: n + 3, stored: n, duplicates: 3, conflicts: 1 };
        let header = FrameHeader {
            commit: 7,
            durable_commit: 6,
            first_seq: 1_000_000_000_000,
            received_at_ns: -5,
            upstream,
            counts,
            totals: Counters { received: u64::MAX, ..counts },
            previous: 0xdead_beef,
        };
        let mut builder = FrameBuilder::new(SALT);
        builder.begin(header.first_seq, header.received_at_ns);
        payloads.iter().for_each(|payload| push(&mut builder, payload));
        (builder.finish(&header).to_vec(), header)
    }

    fn push(builder: &mut FrameBuilder, payload: &[u8]) {
        let mut bytes = Vec::new();
        row::encode(&EventRef { topic: "t", event_id: "e", timestamp_ns: 1, source: "", payload }, &mut bytes);
        builder.push(&bytes);
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40_000), 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn round_trip(payloads in payloads(), upstream: Option<u64>, tail: Vec<u8>) {
            let (mut bytes, header) = build(&payloads, upstream);
            let len = bytes.len();
            bytes.extend(tail);
            let frame = decode(&bytes, SALT).unwrap();
            prop_assert_eq!(frame.header, header);
            prop_assert_eq!(frame.len, len);
            prop_assert_eq!(frame.end_seq(), header.first_seq + payloads.len() as u64);
            let rows: Vec<_> = frame.blocks().flat_map(|(_, block)| block.rows()).map(|(_, row)| row.payload.to_vec()).collect();
            prop_assert_eq!(rows, payloads);
        }

        #[test]
        fn what_is_rolled_back_was_never_there(kept in payloads(), dropped in payloads(), more in payloads()) {
            let (expected, header) = build(&[kept.clone(), more.clone()].concat(), None);
            let mut builder = FrameBuilder::new(SALT);
            builder.begin(header.first_seq, header.received_at_ns);
            kept.iter().for_each(|payload| push(&mut builder, payload));
            let checkpoint = builder.checkpoint();
            dropped.iter().for_each(|payload| push(&mut builder, payload));
            builder.roll_back(checkpoint);
            more.iter().for_each(|payload| push(&mut builder, payload));
            prop_assert_eq!(builder.finish(&header), expected);
        }

        #[test]
        fn every_flipped_bit_and_every_cut_is_seen(payloads in payloads(), at: prop::sample::Index, bit in 0..8_u32) {
            let (mut bytes, ..) = build(&payloads, Some(9));
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at], SALT).is_none());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes, SALT).is_none());
        }
    }

    #[test]
    fn zeros_and_frames_of_another_store_are_not_frames() {
        assert!(decode(&[0; 4096], SALT).is_none());
        let (bytes, ..) = build(&[vec![1]], None);
        assert!(decode(&bytes, Salt(43)).is_none());
    }
}
