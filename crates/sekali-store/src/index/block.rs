//! A block of a run: 4,096 bytes, up to 140 entries, one checksum.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | XXH3 of bytes 8..4096, seeded with the run's number and the block's, so that a block in the wrong place is damage |
//! | 8..10 | number of entries, 1 to 140; only the last block of a run has less than 140 |
//! | 10..16 | zero |
//! | 16 + 29 i .. | entry `i`: fingerprint (16 bytes), seq less the run's first seq (5 bytes), content hash (8 bytes) |
//! | rest | zero |
//!
//! All numbers are little-endian. Entries are sorted by fingerprint, then by seq.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::entry::Entry;
use crate::error::Result;
use crate::hash::Fingerprint;
use crate::invariant::invariant;

/// Length of a block, in bytes.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// Most entries in a block.
pub(crate) const BLOCK_ENTRIES: usize = (BLOCK_BYTES - HEADER_BYTES) / ENTRY_BYTES;
/// Greatest difference between two seqs of a run.
pub(crate) const SEQ_SPAN_MAX: u64 = (1 << 40) - 1;

const HEADER_BYTES: usize = 16;
const ENTRY_BYTES: usize = 29;
const _: () = assert!(BLOCK_ENTRIES == 140);

/// The bytes of a block.
pub(crate) type BlockBytes = [u8; BLOCK_BYTES];

/// The place of a block: the seed of its checksum, and the base of its seqs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPlace {
    /// Number of the run.
    pub run: u64,
    /// Position among the blocks of the run, from 0.
    pub index: u64,
    /// Least seq of the run.
    pub first_seq: u64,
}

impl BlockPlace {
    fn seed(&self) -> u64 {
        self.run.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.index
    }
}

/// Writes entry `at` of a block. Its seq must be within [`SEQ_SPAN_MAX`] of `first_seq`, and `at`
/// below [`BLOCK_ENTRIES`].
///
/// # Errors
/// [`Error::Broken`](crate::Error::Broken) where either is beyond that.
pub(crate) fn put(block: &mut BlockBytes, at: usize, entry: &Entry, first_seq: u64) -> Result<()> {
    let offset = entry.seq.wrapping_sub(first_seq);
    invariant!(offset <= SEQ_SPAN_MAX, "a seq does not fit its block");
    let bytes = block[HEADER_BYTES..].as_chunks_mut::<ENTRY_BYTES>().0.get_mut(at);
    let Some(bytes) = bytes else { invariant!("an entry does not fit its block") };
    bytes[..16].copy_from_slice(&entry.fingerprint.to_le_bytes());
    bytes[16..21].copy_from_slice(&offset.to_le_bytes()[..5]);
    bytes[21..].copy_from_slice(&entry.content.to_le_bytes());
    Ok(())
}

/// Completes a block whose first `count` entries have been put.
pub(crate) fn seal(block: &mut BlockBytes, count: usize, place: &BlockPlace) {
    debug_assert!((1..=BLOCK_ENTRIES).contains(&count));
    block[8..10].copy_from_slice(&(count as u16).to_le_bytes());
    block[10..HEADER_BYTES].fill(0);
    block[HEADER_BYTES + count * ENTRY_BYTES..].fill(0);
    let checksum = xxh3_64_with_seed(&block[8..], place.seed());
    block[..8].copy_from_slice(&checksum.to_le_bytes());
}

/// A block whose checksum has been verified.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunBlock<'a> {
    entries: &'a [[u8; ENTRY_BYTES]],
    first_seq: u64,
}

impl<'a> RunBlock<'a> {
    /// Verifies a block.
    ///
    /// # Errors
    /// The fault, as a phrase about the block.
    pub(crate) fn open(bytes: &'a BlockBytes, place: &BlockPlace) -> Result<Self, &'static str> {
        let (checksum, body) = bytes.split_first_chunk().ok_or("it is too short")?;
        if u64::from_le_bytes(*checksum) != xxh3_64_with_seed(body, place.seed()) {
            return Err("its checksum does not agree with its bytes");
        }
        let count = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let slots = bytes[HEADER_BYTES..].as_chunks().0;
        match slots.get(..count) {
            Some(entries) if count > 0 => Ok(Self { entries, first_seq: place.first_seq }),
            _ => Err("its number of entries is impossible"),
        }
    }

    /// The entries in order.
    pub(crate) fn entries(self) -> impl Iterator<Item = Entry> + 'a {
        self.entries.iter().map(move |bytes| decode(bytes, self.first_seq))
    }

    /// The entries with this fingerprint.
    pub(crate) fn find(self, fingerprint: Fingerprint) -> impl Iterator<Item = Entry> + 'a {
        let from = self.entries.partition_point(|bytes| fingerprint_of(bytes) < fingerprint);
        let tail = self.entries.get(from..).unwrap_or_default();
        let same = tail.iter().take_while(move |bytes| fingerprint_of(bytes) == fingerprint);
        same.map(move |bytes| decode(bytes, self.first_seq))
    }
}

fn fingerprint_of(bytes: &[u8; ENTRY_BYTES]) -> Fingerprint {
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&bytes[..16]);
    Fingerprint::from_le_bytes(fingerprint)
}

fn decode(bytes: &[u8; ENTRY_BYTES], first_seq: u64) -> Entry {
    let (mut seq, mut content) = ([0; 8], [0; 8]);
    seq[..5].copy_from_slice(&bytes[16..21]);
    content.copy_from_slice(&bytes[21..]);
    Entry {
        fingerprint: fingerprint_of(bytes),
        seq: first_seq.saturating_add(u64::from_le_bytes(seq)),
        content: u64::from_le_bytes(content),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: BlockPlace = BlockPlace { run: 7, index: 3, first_seq: 1000 };

    fn sealed(entries: &[Entry]) -> Box<BlockBytes> {
        let mut block = Box::new([0xAA; BLOCK_BYTES]);
        for (at, entry) in entries.iter().enumerate() {
            put(&mut block, at, entry, PLACE.first_seq).unwrap();
        }
        seal(&mut block, entries.len(), &PLACE);
        block
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (0..400_u128, 1000..=1000 + SEQ_SPAN_MAX, any::<u64>())
            .prop_map(|(fingerprint, seq, content)| Entry { fingerprint, seq, content });
        prop::collection::btree_set(entry, 1..=BLOCK_ENTRIES).prop_map(|set| set.into_iter().collect())
    }

    proptest! {
        #[test]
        fn round_trip(entries in entries()) {
            let bytes = sealed(&entries);
            let block = RunBlock::open(&bytes, &PLACE).unwrap();
            prop_assert_eq!(block.entries().collect::<Vec<_>>(), entries.clone());
            for fingerprint in 0..400 {
                let found: Vec<_> = block.find(fingerprint).collect();
                let expected: Vec<_> = entries.iter().copied().filter(|e| e.fingerprint == fingerprint).collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn a_flipped_bit_is_named(entries in entries(), bit in 0..BLOCK_BYTES * 8) {
            let mut bytes = sealed(&entries);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(RunBlock::open(&bytes, &PLACE).is_err());
        }
    }

    #[test]
    fn a_block_in_another_place_is_damage() {
        let bytes = sealed(&[Entry { fingerprint: 1, seq: 1000, content: 5 }]);
        assert!(RunBlock::open(&bytes, &PLACE).is_ok());
        assert!(RunBlock::open(&bytes, &BlockPlace { index: 4, ..PLACE }).is_err());
        assert!(RunBlock::open(&bytes, &BlockPlace { run: 8, ..PLACE }).is_err());
    }

    #[test]
    fn zeros_are_not_a_block() {
        assert!(RunBlock::open(&[0; BLOCK_BYTES], &PLACE).is_err());
    }
}
