//! Binary fuse filters (Graf and Lemire, *Binary Fuse Filters: Fast and Smaller Than Xor Filters*,
//! 2022): one for each chunk of a run, with values of 8 to 16 bits.
//!
//! The crate `xorf` builds a filter of 16-bit values. The property of a filter, that the values in
//! a key's three slots xor to the key's hash, holds for every bit alone. So the lower `w` bits of
//! all values are a filter as well, one that passes a foreign key with probability `2^-w`. Values
//! are packed without gaps.
//!
//! A key is probed as follows, with all arithmetic modulo 2^64: `h = murmur64(key + seed)`;
//! `s0 = (h * slots) >> 64`, where `slots` counts all but the last two segments;
//! `s1 = (s0 + segment) ^ ((h >> 18) & (segment - 1))`;
//! `s2 = (s0 + 2 segment) ^ (h & (segment - 1))`; the filter passes the key if the values at `s0`,
//! `s1` and `s2` xor to the lower `w` bits of `h ^ (h >> 32)`. Value `i` is the bits from `i w` on,
//! counted from the least significant bit of the first byte.

use xorf::BinaryFuse16;

/// Fewest and most bits of a value.
pub(crate) const FILTER_BITS: std::ops::RangeInclusive<u32> = 8..=16;

/// The parameters of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilterShape {
    /// Added to every key before hashing.
    pub seed: u64,
    /// Slots in a segment, a power of two.
    pub segment: u32,
    /// Slots in all segments but the last two.
    pub slots: u32,
    /// Bits of a value; 0 for a filter that passes every key.
    pub bits: u32,
}

impl FilterShape {
    /// A filter without values, which passes every key.
    pub(crate) const PASS_ALL: Self = Self { seed: 0, segment: 1, slots: 0, bits: 0 };

    /// Bytes of the values.
    pub(crate) fn len_bytes(&self) -> usize {
        if self.bits == 0 {
            return 0;
        }
        let values = u64::from(self.slots) + 2 * u64::from(self.segment);
        usize::try_from(values.saturating_mul(self.bits.into()).div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Whether a filter can have these parameters.
    pub(crate) fn is_possible(&self) -> bool {
        let segments = self.segment.is_power_of_two() && self.slots.is_multiple_of(self.segment);
        let values = u64::from(self.slots) + 2 * u64::from(self.segment) <= u64::from(u32::MAX);
        *self == Self::PASS_ALL || (FILTER_BITS.contains(&self.bits) && segments && values)
    }
}

/// The filters of a run, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    chunks: Vec<PlacedFilter>,
    /// All values, followed by [`OVERREAD_BYTES`] zeros once there are any.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct PlacedFilter {
    shape: FilterShape,
    offset: usize,
}

/// A value is read as part of four bytes, so the last values are read past their end.
const OVERREAD_BYTES: usize = 3;

impl Filters {
    /// With memory for `chunks` filters over `keys` keys in all.
    pub(crate) fn with_capacity(chunks: usize, keys: usize, bits: u32) -> Self {
        // 1.17 slots a key in chunks of full size; more in a shorter last chunk.
        let bytes = (keys / 64 + 1).saturating_mul(75).saturating_mul(bits as usize) / 8;
        Self::with_bytes(chunks, bytes + 4096)
    }

    /// With memory for `chunks` filters of `bytes` bytes in all.
    pub(crate) fn with_bytes(chunks: usize, bytes: usize) -> Self {
        Self { chunks: Vec::with_capacity(chunks), bytes: Vec::with_capacity(bytes + OVERREAD_BYTES) }
    }

    /// Builds the filter of the next chunk over distinct keys, in about 30 bytes of memory a key.
    /// If `xorf` finds no filter, which is all but impossible, the chunk passes every key.
    pub(crate) fn build(&mut self, keys: &[u64], bits: u32) {
        debug_assert!(FILTER_BITS.contains(&bits));
        let Ok(filter) = BinaryFuse16::try_from(keys) else {
            return self.add(FilterShape::PASS_ALL, &[]);
        };
        let d = &filter.descriptor;
        let shape = FilterShape { seed: d.seed, segment: d.segment_length, slots: d.segment_count_length, bits };
        debug_assert!(shape.is_possible());
        self.add_with(shape, |bytes| pack(&filter.fingerprints, bits, bytes));
    }

    /// Adds a filter read from disk. The shape must be possible, and the bytes as many as it says.
    pub(crate) fn add(&mut self, shape: FilterShape, values: &[u8]) {
        debug_assert_eq!(values.len(), shape.len_bytes());
        self.add_with(shape, |bytes| bytes.extend_from_slice(values));
    }

    fn add_with(&mut self, shape: FilterShape, append: impl FnOnce(&mut Vec<u8>)) {
        let offset = self.len_bytes();
        self.bytes.truncate(offset);
        append(&mut self.bytes);
        self.bytes.extend_from_slice(&[0; OVERREAD_BYTES]);
        self.chunks.push(PlacedFilter { shape, offset });
    }

    /// Number of chunks.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of all values.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(OVERREAD_BYTES)
    }

    /// Shape and bytes of each filter, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FilterShape, &[u8])> {
        self.chunks.iter().map(|placed| {
            let end = placed.offset + placed.shape.len_bytes();
            (placed.shape, self.bytes.get(placed.offset..end).unwrap_or_default())
        })
    }

    /// The place of the values of `key` in chunk `chunk`. Pure arithmetic: touches no filter.
    ///
    /// A caller makes the probes of many keys first and then reads all values, so that the cache
    /// misses of many keys are in flight at once: measured, twice as fast as one key after the
    /// other once filters outgrow the cache.
    #[inline]
    pub(crate) fn probe(&self, chunk: usize, key: u64) -> Probe {
        let Some(PlacedFilter { shape, offset }) = self.chunks.get(chunk) else {
            return Probe::FAILS;
        };
        let hash = murmur64(key.wrapping_add(shape.seed));
        let mask = shape.segment.wrapping_sub(1);
        let s0 = ((u128::from(hash) * u128::from(shape.slots)) >> 64) as u32;
        let s1 = s0.wrapping_add(shape.segment) ^ ((hash >> 18) as u32 & mask);
        let s2 = s0.wrapping_add(shape.segment.wrapping_mul(2)) ^ (hash as u32 & mask);
        let bits = [s0, s1, s2].map(|slot| slot as usize * shape.bits as usize);
        Probe {
            bytes: bits.map(|bit| offset + bit / 8),
            shifts: bits.map(|bit| (bit % 8) as u8),
            wanted: (hash ^ (hash >> 32)) as u32,
            mask: (1 << shape.bits) - 1,
        }
    }

    /// The xor of the values in the three slots of a probe, with whatever bits follow them.
    #[inline]
    pub(crate) fn values(&self, probe: &Probe) -> u32 {
        let value = |at: usize, shift: u8| {
            let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
            u32::from_le_bytes(bytes) >> shift
        };
        let ([a, b, c], [i, j, k]) = (probe.bytes, probe.shifts);
        value(a, i) ^ value(b, j) ^ value(c, k)
    }
}

/// The three slots of a key in a filter, and the value that passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    /// Where the bytes of the three values begin.
    bytes: [usize; 3],
    /// Where in these bytes the values begin.
    shifts: [u8; 3],
    wanted: u32,
    mask: u32,
}

impl Probe {
    /// A probe that no value passes.
    pub(crate) const FAILS: Self = Self { bytes: [0; 3], shifts: [24; 3], wanted: u32::MAX, mask: u32::MAX };

    /// Whether the filter passes the key, given the [values](Filters::values) of the probe.
    #[inline]
    pub(crate) fn passes(&self, values: u32) -> bool {
        (values ^ self.wanted) & self.mask == 0
    }
}

/// Appends the lower `bits` bits of each value.
fn pack(values: &[u16], bits: u32, bytes: &mut Vec<u8>) {
    let mask = (1_u64 << bits) - 1;
    let (mut pending, mut filled) = (0_u64, 0);
    for &value in values {
        pending |= (u64::from(value) & mask) << filled;
        filled += bits;
        while filled >= 8 {
            bytes.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        bytes.push(pending as u8);
    }
}

/// The finalizer of `MurmurHash3`, as `xorf` uses it.
fn murmur64(mut key: u64) -> u64 {
    key ^= key >> 33;
    key = key.wrapping_mul(0xff51_afd7_ed55_8ccd);
    key ^= key >> 33;
    key = key.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ (key >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xorf::Filter as _;

    use super::*;

    /// Whether chunk `chunk` may have `key`.
    fn may_contain(filters: &Filters, chunk: usize, key: u64) -> bool {
        let probe = filters.probe(chunk, key);
        probe.passes(filters.values(&probe))
    }

    /// Keys as runs have them: sorted, distinct, alike in their upper bits.
    fn keys(count: u64) -> Vec<u64> {
        let mut keys: Vec<u64> = (0..count).map(|i| (0xABCD << 48) | (murmur64(i + 1) >> 16)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    #[test]
    fn no_key_is_missed_and_strangers_pass_as_rarely_as_promised() {
        let keys = keys(20_000);
        for bits in FILTER_BITS {
            let mut filters = Filters::with_capacity(1, keys.len(), bits);
            filters.build(&keys, bits);
            assert!(keys.iter().all(|&key| may_contain(&filters, 0, key)));
            let strangers = 400_000;
            let passed = (0..strangers).filter(|&i| may_contain(&filters, 0, murmur64(i ^ (1 << 60)))).count() as f64;
            let expected = strangers as f64 / f64::from(1 << bits);
            assert!(passed < expected + 6.0 * expected.sqrt(), "{bits} bits: {passed} passed, {expected} expected");
        }
    }

    #[test]
    fn sixteen_bits_answer_as_xorf_does() {
        let keys = keys(5_000);
        let theirs = BinaryFuse16::try_from(&keys).unwrap();
        let mut ours = Filters::default();
        ours.build(&keys, 16);
        for key in (0..300_000).map(murmur64).chain(keys) {
            assert_eq!(may_contain(&ours, 0, key), theirs.contains(&key));
        }
    }

    #[test]
    fn a_filter_is_as_small_as_promised() {
        let mut filters = Filters::default();
        let keys = keys(143_360);
        filters.build(&keys, 8);
        assert!(filters.len_bytes() as f64 / (keys.len() as f64) < 1.19);
    }

    #[test]
    fn the_chunk_without_a_filter_passes_everything() {
        let mut filters = Filters::default();
        filters.add(FilterShape::PASS_ALL, &[]);
        assert!(may_contain(&filters, 0, 17));
        assert!(!may_contain(&filters, 1, 17));
    }

    proptest! {
        #[test]
        fn filters_in_one_run_do_not_disturb_each_other(
            sets in prop::collection::vec(prop::collection::btree_set(any::<u64>(), 1..300), 1..6), bits in FILTER_BITS,
        ) {
            let mut filters = Filters::default();
            let sets: Vec<Vec<u64>> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
            sets.iter().for_each(|keys| filters.build(keys, bits));
            let mut again = Filters::default();
            filters.iter().for_each(|(shape, bytes)| again.add(shape, bytes));
            for (chunk, keys) in sets.iter().enumerate() {
                prop_assert!(keys.iter().all(|&key| may_contain(&filters, chunk, key) && may_contain(&again, chunk, key)));
            }
            prop_assert_eq!(filters.bytes, again.bytes);
        }
    }
}
