//! Sorts fingerprints by their upper halves, which are uniform: most of the work is done by putting each where it roughly
//! belongs. Halves that are all alike, as in tests of collisions, are sorted correctly and no slower than otherwise.

use std::cmp::Ordering;

/// The upper half of a fingerprint, and the position of what it belongs to.
pub type SortKey = (u64, u32);

/// Keys that share a bucket, on average.
const BUCKET_KEYS: usize = 16;
/// With more buckets at once the processor cannot keep their ends at hand, and moving a key costs more than comparing it.
const BUCKETS_MAX: usize = 1 << 11;

/// Fills `sorted` with the upper halves and their positions in the order of `compare`, which begins with the upper halves. There
/// are fewer than 2^32.
pub(super) fn sort_by_upper_half(
    halves: impl ExactSizeIterator<Item = u64> + Clone,
    compare: impl Fn(&SortKey, &SortKey) -> Ordering,
    sorted: &mut Vec<SortKey>,
) {
    let bits = (halves.len() / BUCKET_KEYS).clamp(1, BUCKETS_MAX).ilog2();
    let bucket_of = |half: u64| half.checked_shr(64 - bits).unwrap_or(0) as usize;
    let mut ends = vec![0; 1 << bits];
    for half in halves.clone() {
        if let Some(count) = ends.get_mut(bucket_of(half)) {
            *count += 1;
        }
    }
    let mut begin = 0;
    for end in &mut ends {
        // Where the bucket begins; it moves to where it ends as keys come in.
        begin += std::mem::replace(end, begin);
    }
    sorted.clear();
    sorted.resize(halves.len(), (0, 0));
    for (half, position) in halves.zip(0..) {
        let end = ends.get_mut(bucket_of(half));
        if let Some((end, slot)) = end.and_then(|end| sorted.get_mut(*end).map(|slot| (end, slot))) {
            *slot = (half, position);
            *end += 1;
        }
    }
    let mut begin = 0;
    for end in ends {
        if let Some(bucket) = sorted.get_mut(begin..end) {
            bucket.sort_unstable_by(&compare);
        }
        begin = end;
    }
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
            sort_by_upper_half(halves, Ord::cmp, &mut sorted);
            prop_assert_eq!(sorted, expected);
        }
    }
}
