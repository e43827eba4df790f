//! The newest entries, in memory.
//!
//! Entries are kept in the order they came, 28 bytes each: fingerprint, content hash, and the distance of the seq from
//! the table's first. A directory of open addressing with linear probing leads to them: a slot is 32 bits, the lower
//! ones a position plus one, the upper ones a tag from the fingerprint, so that a look-up that misses hardly ever
//! leaves the directory. It has two slots an entry: 36 bytes an entry in all. None of them is touched before it is needed,
//! unless a table is made [ahead](Table::in_memory): the first touch of each page waits for the operating system, and the
//! first entries touch nearly every page of the directory.

use std::hint::black_box;

use super::Entry;
use super::order::{Key, by_upper_half};
use crate::hash::{ContentHash, Fingerprint};
use crate::limits::INDEX_TABLE_ENTRIES_MAX;

/// A table with room for a fixed number of entries.
#[derive(Debug)]
pub struct Table {
    capacity: usize,
    /// 0 where empty; otherwise tag and position + 1.
    slots: Vec<u32>,
    position_mask: u32,
    first_seq: u64,
    fingerprints: Vec<Fingerprint>,
    contents: Vec<ContentHash>,
    seq_offsets: Vec<u32>,
}

/// So many look-ups are begun together that the cache misses of their first slots overlap.
const STRIP: usize = 32;

impl Table {
    /// An empty table with room for `capacity` entries (at least 1, at most [`INDEX_TABLE_ENTRIES_MAX`]).
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, INDEX_TABLE_ENTRIES_MAX);
        let position_mask = (capacity as u32 + 1).next_power_of_two() - 1;
        Self {
            capacity,
            slots: vec![0; capacity * 2],
            position_mask,
            first_seq: 0,
            fingerprints: Vec::with_capacity(capacity),
            contents: Vec::with_capacity(capacity),
            seq_offsets: Vec::with_capacity(capacity),
        }
    }

    /// An empty table like [`Table::new`]'s, all of whose memory is there already.
    pub fn in_memory(capacity: usize) -> Self {
        let mut table = Self::new(capacity);
        // What the compiler knows to be zero it would not write again.
        black_box(&mut table.slots);
        table.fingerprints.resize(table.capacity, 1);
        table.contents.resize(table.capacity, 1);
        table.seq_offsets.resize(table.capacity, 1);
        table.clear();
        table
    }

    /// Forgets all entries, but keeps the memory.
    pub fn clear(&mut self) {
        self.slots.fill(0);
        self.first_seq = 0;
        self.fingerprints.clear();
        self.contents.clear();
        self.seq_offsets.clear();
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.fingerprints.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Whether there is no room for another entry.
    pub fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    /// Seq of the first entry; 0 where there is none.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Seq of the last entry; 0 where there is none.
    pub fn last_seq(&self) -> u64 {
        self.seq_offsets.last().map_or(0, |&offset| self.first_seq + u64::from(offset))
    }

    /// Adds entries, whose seqs ascend from those before, until one does not fit. Returns how many were added: all,
    /// unless the table is full or a seq is 2^32 or more from the first one.
    pub fn insert(&mut self, entries: &[Entry]) -> usize {
        if self.is_empty() {
            self.first_seq = entries.first().map_or(0, |entry| entry.seq);
        }
        let room = self.capacity - self.len();
        for (at, entry) in entries.iter().enumerate() {
            debug_assert!(entry.seq >= self.last_seq());
            let offset = u32::try_from(entry.seq.wrapping_sub(self.first_seq));
            match offset {
                Ok(offset) if at < room => self.push(entry, offset),
                _ => return at,
            }
        }
        entries.len()
    }

    fn push(&mut self, entry: &Entry, seq_offset: u32) {
        let hash = hash(entry.fingerprint);
        let mut slot = self.home(hash);
        while self.slots.get(slot).is_some_and(|&value| value != 0) {
            slot = self.after(slot);
        }
        let position = self.fingerprints.len() as u32;
        let filled = self.tag(hash) | (position + 1);
        if let Some(value) = self.slots.get_mut(slot) {
            *value = filled;
        }
        self.fingerprints.push(entry.fingerprint);
        self.contents.push(entry.content);
        self.seq_offsets.push(seq_offset);
    }

    /// Finds every entry with one of `fingerprints`: appends its position there and the entry.
    pub fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) {
        for (strip, fingerprints) in fingerprints.chunks(STRIP).enumerate() {
            let mut firsts = [0; STRIP];
            for (first, fingerprint) in firsts.iter_mut().zip(fingerprints) {
                *first = self.slots.get(self.home(hash(*fingerprint))).copied().unwrap_or(0);
            }
            for (at, (&first, &fingerprint)) in firsts.iter().zip(fingerprints).enumerate() {
                if first != 0 {
                    self.find(fingerprint, |entry| found.push((strip * STRIP + at, entry)));
                }
            }
        }
    }

    fn find(&self, fingerprint: Fingerprint, mut found: impl FnMut(Entry)) {
        let hash = hash(fingerprint);
        let tag = self.tag(hash);
        let mut slot = self.home(hash);
        while let Some(&value) = self.slots.get(slot).filter(|&&value| value != 0) {
            let position = (value & self.position_mask) as usize - 1;
            if value & !self.position_mask == tag && self.fingerprints.get(position) == Some(&fingerprint) {
                self.entry(position).into_iter().for_each(&mut found);
            }
            slot = self.after(slot);
        }
    }

    /// The entries by fingerprint, then seq. `order` is memory to work in, 16 bytes an entry.
    pub fn sorted<'a>(&'a self, order: &'a mut Vec<Key>) -> impl Iterator<Item = Entry> + 'a {
        let upper = self.fingerprints.iter().map(|&fingerprint| super::filter_key(fingerprint));
        // Upper halves almost never tie, and then the whole fingerprints decide; positions ascend with the seqs.
        let fingerprint = |at: u32| self.fingerprints.get(at as usize);
        let compare = |a: &Key, b: &Key| {
            a.0.cmp(&b.0).then_with(|| fingerprint(a.1).cmp(&fingerprint(b.1))).then_with(|| a.1.cmp(&b.1))
        };
        by_upper_half(upper, compare, order);
        order.iter().filter_map(|&(_, position)| self.entry(position as usize))
    }

    fn entry(&self, position: usize) -> Option<Entry> {
        Some(Entry {
            fingerprint: *self.fingerprints.get(position)?,
            seq: self.first_seq + u64::from(*self.seq_offsets.get(position)?),
            content: *self.contents.get(position)?,
        })
    }

    /// The slot where the search for a hash begins.
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }

    /// The lowest bits of the hash, which say least about its home slot, moved above those of a position.
    fn tag(&self, hash: u64) -> u32 {
        (hash as u32).wrapping_mul(self.position_mask + 1)
    }
}

/// Fingerprints are uniform already, except in tests that make them collide: any bits may be alike there.
fn hash(fingerprint: Fingerprint) -> u64 {
    ((fingerprint >> 64) as u64 ^ (fingerprint as u64).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(fingerprints: &[u128]) -> Vec<Entry> {
        let entry = |(&fingerprint, seq)| Entry { fingerprint, seq, content: seq ^ 0xFF };
        fingerprints.iter().zip(100..).map(entry).collect()
    }

    fn looked_up(table: &Table, fingerprints: &[u128]) -> Vec<(usize, Entry)> {
        let mut found = Vec::new();
        table.look_up(fingerprints, &mut found);
        found.sort_unstable();
        found
    }

    #[test]
    fn it_takes_what_it_has_room_for_and_says_so() {
        let mut table = Table::new(3);
        let entries = entries(&[1, 2, 3, 4, 5]);
        assert_eq!(table.insert(&entries[..2]), 2);
        assert_eq!(table.insert(&entries[2..]), 1);
        assert_eq!(table.insert(&entries[3..]), 0);
        assert_eq!((table.len(), table.last_seq()), (3, 102));
    }

    #[test]
    fn seqs_too_far_apart_need_another_table() {
        let mut table = Table::new(10);
        let far = |seq| Entry { fingerprint: 5, seq, content: 0 };
        let entries = [far(7), far(7 + u64::from(u32::MAX)), far(8 + u64::from(u32::MAX))];
        assert_eq!(table.insert(&entries), 2);
        assert_eq!(table.sorted(&mut Vec::new()).collect::<Vec<_>>(), entries[..2]);
    }

    #[test]
    fn a_table_that_is_used_again_knows_nothing_of_before() {
        let mut table = Table::in_memory(3);
        assert_eq!(table.insert(&entries(&[1, 2, 3])), 3);
        table.clear();
        assert!(table.is_empty());
        assert_eq!(looked_up(&table, &[1, 2, 3]), []);
        let again = Entry { fingerprint: 2, seq: 9, content: 4 };
        assert_eq!(table.insert(&[again]), 1);
        assert_eq!(looked_up(&table, &[1, 2, 3]), [(1, again)]);
        assert_eq!((table.first_seq(), table.last_seq()), (9, 9));
    }

    proptest! {
        #[test]
        fn everything_inserted_is_found_and_nothing_else(
            raw in prop::collection::vec(0..500_u128, 0..400), shift in prop::sample::select(vec![0, 40, 64, 119]), spare in 0..50_usize,
        ) {
            let fingerprints: Vec<u128> = raw.iter().map(|fingerprint| fingerprint << shift).collect();
            let entries = entries(&fingerprints);
            let mut table = Table::new(entries.len() + spare);
            prop_assert_eq!(table.insert(&entries), entries.len());
            let asked: Vec<u128> = (0..500).map(|fingerprint| fingerprint << shift).collect();
            let of = |&fingerprint: &u128| entries.iter().copied().filter(move |e| e.fingerprint == fingerprint);
            let expected: Vec<_> = asked.iter().enumerate().flat_map(|(at, asked)| of(asked).map(move |e| (at, e))).collect();
            prop_assert_eq!(looked_up(&table, &asked), expected);
            let mut sorted = entries.clone();
            sorted.sort_unstable();
            prop_assert_eq!(table.sorted(&mut Vec::new()).collect::<Vec<_>>(), sorted);
        }
    }
}
