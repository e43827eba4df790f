//! Sorts fingerprints by their upper halves. These are uniform, so that most of the work is putting
//! each into a bucket. Halves that are all alike, as in tests of collisions, are sorted correctly
//! and no slower than by comparison alone.

use std::cmp::Ordering;

use crate::bucket;
use crate::error::Result;

/// The upper half of a fingerprint, and the position of the entry or event it belongs to.
pub(crate) type SortKey = (u64, u32);

/// Keys that share a bucket, on average.
const BUCKET_KEYS: usize = 16;
/// With more buckets the processor cannot keep their ends in its caches, and moving a key costs
/// more than comparing it.
const BUCKETS_MAX: usize = 1 << 11;

/// Fills `sorted` with the upper halves and their positions in the order of `compare`, which
/// compares the upper halves first. There are fewer than 2^32.
pub(super) fn sort_by_upper_half(
    halves: impl ExactSizeIterator<Item = u64> + Clone,
    compare: impl Fn(&SortKey, &SortKey) -> Ordering,
    sorted: &mut Vec<SortKey>,
) -> Result<()> {
    let bits = (halves.len() / BUCKET_KEYS).clamp(1, BUCKETS_MAX).ilog2();
    let mut ends = vec![0; 1 << bits];
    let keys = halves.zip(0..).map(|(half, position)| {
        let bucket = half.checked_shr(64 - bits).unwrap_or(0) as usize;
        (bucket, (half, position))
    });
    bucket::sort(keys, (0, 0), &mut ends, sorted, |keys| keys.sort_unstable_by(&compare))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_a_sort_does(
            raw in prop::collection::vec(any::<u64>(), 0..3_000), mask in prop::sample::select(vec![u64::MAX, 0xFF, 0xFF << 56, 0]),
        ) {
            let halves = raw.iter().map(|half| half & mask);
            let mut expected: Vec<SortKey> = halves.clone().zip(0..).collect();
            expected.sort_unstable();
            let mut sorted = vec![(7, 7); 5];
            sort_by_upper_half(halves, Ord::cmp, &mut sorted).unwrap();
            prop_assert_eq!(sorted, expected);
        }
    }
}
