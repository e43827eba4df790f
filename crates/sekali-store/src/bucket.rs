//! A counting sort.

use std::mem;

use crate::error::Result;
use crate::invariant::invariant;

/// Fills `sorted` with `items`, each of which comes with the number of its bucket, in order of
/// bucket and then in the order that `sort_bucket` gives a bucket of two items or more. There are
/// as many buckets as there are `ends`, which become the ends of the buckets in `sorted`; a bucket
/// begins where the one before ends. There are fewer than 2^32 items. `blank` is any item.
///
/// # Errors
/// [`Error::Broken`](crate::Error::Broken) where an item names a bucket that does not exist.
pub(crate) fn sort<T: Copy>(
    items: impl Iterator<Item = (usize, T)> + Clone,
    blank: T,
    ends: &mut [u32],
    sorted: &mut Vec<T>,
    mut sort_bucket: impl FnMut(&mut [T]),
) -> Result<()> {
    ends.fill(0);
    for (bucket, _) in items.clone() {
        let Some(count) = ends.get_mut(bucket) else { invariant!("an item has no bucket") };
        *count += 1;
    }
    let mut begin = 0;
    for end in ends.iter_mut() {
        // First the begin of the bucket; it moves to the end as items come in.
        begin += mem::replace(end, begin);
    }
    sorted.clear();
    sorted.resize(begin as usize, blank);
    for (bucket, item) in items {
        let end = ends.get_mut(bucket);
        let slot = end.and_then(|end| sorted.get_mut(mem::replace(end, *end + 1) as usize));
        let Some(slot) = slot else { invariant!("an item has no place in its bucket") };
        *slot = item;
    }
    let mut begin = 0;
    for &end in &*ends {
        if end - begin > 1 {
            let bucket = sorted.get_mut(begin as usize..end as usize);
            let Some(bucket) = bucket else { invariant!("a bucket lies outside of what was sorted") };
            sort_bucket(bucket);
        }
        begin = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn items_come_in_order_of_bucket_and_then_as_their_bucket_is_sorted() {
        let items = [(2, 'b'), (0, 'z'), (2, 'a'), (2, 'c')];
        let (mut ends, mut sorted) = ([7; 4], vec!['x'; 9]);
        sort(items.into_iter(), ' ', &mut ends, &mut sorted, <[char]>::sort_unstable).unwrap();
        assert_eq!((sorted, ends), (vec!['z', 'a', 'b', 'c'], [1, 1, 4, 4]));
    }

    #[test]
    fn an_item_without_a_bucket_is_an_error_and_not_dropped() {
        let sorted = sort([(1, 'a')].into_iter(), ' ', &mut [0], &mut Vec::new(), |_| {});
        assert!(matches!(sorted, Err(Error::Broken(_))));
    }
}
