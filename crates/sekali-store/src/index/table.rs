//! The newest entries, in memory.
//!
//! Entries are kept in order of insertion, 28 bytes each: fingerprint, content hash, and the
//! distance of the seq from the table's first. A directory of open addressing with linear probing
//! leads to them. A slot has 32 bits: the lower ones hold a position plus one, the upper ones a tag
//! from the fingerprint, so that a look-up that misses hardly ever leaves the directory. With two
//! slots an entry, a table takes 36 bytes an entry. The first touch of each page of memory waits
//! for the operating system, and the first entries touch nearly every page of the directory; so a
//! table can be made with its memory touched [in advance](Table::in_memory).

use std::hint::black_box;

use super::entry::{Entry, filter_key};
use super::sort::{SortKey, sort_by_upper_half};
use crate::error::Result;
use crate::hash::{ContentHash, Fingerprint};
use crate::invariant::invariant;
use crate::limits::INDEX_TABLE_ENTRIES_MAX;

/// A table with room for a fixed number of entries.
#[derive(Debug)]
pub(crate) struct Table {
    capacity: usize,
    /// 0 in an empty slot; otherwise tag and position + 1.
    slots: Vec<u32>,
    position_mask: u32,
    first_seq: u64,
    rows: Vec<TableRow>,
}

/// An entry of 28 bytes. Its fields lie together, so that reading one costs one cache miss.
#[derive(Debug, Clone, Copy)]
struct TableRow {
    fingerprint: [u8; 16],
    content: [u8; 8],
    /// Distance of the seq from the table's first.
    seq_offset: [u8; 4],
}

/// Look-ups or inserts that are begun together, so that their cache misses overlap.
const STRIP: usize = 32;

impl Table {
    /// An empty table with room for `capacity` entries (at least 1, at most
    /// [`INDEX_TABLE_ENTRIES_MAX`]).
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, INDEX_TABLE_ENTRIES_MAX);
        let position_mask = (capacity as u32 + 1).next_power_of_two() - 1;
        Self { capacity, slots: vec![0; capacity * 2], position_mask, first_seq: 0, rows: Vec::with_capacity(capacity) }
    }

    /// An empty table like [`Table::new`]'s, with all its memory touched.
    pub(crate) fn in_memory(capacity: usize) -> Self {
        let mut table = Self::new(capacity);
        // Without this, the compiler knows the slots to be zero and does not write them again.
        black_box(&mut table.slots);
        table.rows.resize(table.capacity, TableRow::new(&Entry { fingerprint: 1, seq: 1, content: 1 }, 1));
        table.clear();
        table
    }

    /// Removes all entries, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.first_seq = 0;
        self.rows.clear();
    }

    /// Number of entries that fit.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no entries.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Seq of the first entry; 0 without entries.
    pub(crate) fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Seq of the last entry; 0 without entries.
    pub(crate) fn last_seq(&self) -> u64 {
        self.rows.last().map_or(0, |row| row.seq(self.first_seq))
    }

    /// Adds entries, whose seqs ascend from those before, until one does not fit. Returns how many
    /// were added: all, unless the table is full or a seq is 2^32 or more above the first.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where the directory has no slot for an entry.
    pub(crate) fn insert(&mut self, entries: &[Entry]) -> Result<usize> {
        if self.is_empty() {
            self.first_seq = entries.first().map_or(0, |entry| entry.seq);
        }
        let fitting = entries.iter().take(self.capacity - self.len());
        let offset = |entry: &Entry| u32::try_from(entry.seq.wrapping_sub(self.first_seq)).ok();
        let count = fitting.take_while(|entry| offset(entry).is_some()).count();
        for strip in entries.get(..count).unwrap_or_default().chunks(STRIP) {
            self.insert_strip(strip)?;
        }
        Ok(count)
    }

    /// Adds the entries of a table that is no larger and older than anything here.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where they do not fit.
    pub(crate) fn insert_all(&mut self, other: &Self) -> Result<()> {
        let mut strip = Vec::with_capacity(STRIP);
        for rows in other.rows.chunks(STRIP) {
            strip.clear();
            strip.extend(rows.iter().map(|row| row.entry(other.first_seq)));
            let added = self.insert(&strip)?;
            invariant!(added == strip.len(), "a larger table does not hold a smaller one");
        }
        Ok(())
    }

    /// Adds entries that fit.
    fn insert_strip(&mut self, entries: &[Entry]) -> Result<()> {
        let mut slots = [0; STRIP];
        for (slot, entry) in slots.iter_mut().zip(entries) {
            // A slot that is taken stays taken, so the search may begin behind it.
            let home = self.home(hash(entry.fingerprint));
            let is_taken = self.slots.get(home).is_some_and(|&value| value != 0);
            *slot = if is_taken { self.after(home) } else { home };
        }
        for (&slot, entry) in slots.iter().zip(entries) {
            debug_assert!(entry.seq >= self.last_seq());
            self.push(entry, slot)?;
        }
        Ok(())
    }

    /// Adds an entry in the first free slot from `slot` on.
    fn push(&mut self, entry: &Entry, mut slot: usize) -> Result<()> {
        while self.slots.get(slot).is_some_and(|&value| value != 0) {
            slot = self.after(slot);
        }
        let filled = self.tag(hash(entry.fingerprint)) | (self.rows.len() as u32 + 1);
        let Some(value) = self.slots.get_mut(slot) else { invariant!("the directory of a table has no such slot") };
        *value = filled;
        self.rows.push(TableRow::new(entry, entry.seq.wrapping_sub(self.first_seq) as u32));
        Ok(())
    }

    /// Finds every entry with one of `fingerprints`: appends its position there and the entry.
    pub(crate) fn look_up(&self, fingerprints: &[Fingerprint], found: &mut Vec<(usize, Entry)>) {
        for (strip, fingerprints) in fingerprints.chunks(STRIP).enumerate() {
            let mut firsts = [0; STRIP];
            for (first, &fingerprint) in firsts.iter_mut().zip(fingerprints) {
                *first = self.slots.get(self.home(hash(fingerprint))).copied().unwrap_or(0);
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
            if value & !self.position_mask == tag {
                self.entry(position).filter(|entry| entry.fingerprint == fingerprint).into_iter().for_each(&mut found);
            }
            slot = self.after(slot);
        }
    }

    /// The entries in order of fingerprint, then seq. `order` is working memory, 16 bytes an entry.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken).
    pub(crate) fn sorted<'a>(&'a self, order: &'a mut Vec<SortKey>) -> Result<impl Iterator<Item = Entry> + 'a> {
        let upper = self.rows.iter().map(|row| filter_key(row.fingerprint()));
        // Upper halves almost never tie; then the whole fingerprints decide. Positions ascend with
        // seqs.
        let fingerprint = |at: u32| self.rows.get(at as usize).map(TableRow::fingerprint);
        let compare = |a: &SortKey, b: &SortKey| {
            a.0.cmp(&b.0).then_with(|| fingerprint(a.1).cmp(&fingerprint(b.1))).then_with(|| a.1.cmp(&b.1))
        };
        sort_by_upper_half(upper, compare, order)?;
        Ok(order.chunks(STRIP).flat_map(|keys| self.strip(keys)).flatten())
    }

    /// The entries at the positions of `keys`, fetched together.
    fn strip(&self, keys: &[SortKey]) -> [Option<Entry>; STRIP] {
        let mut entries = [None; STRIP];
        for (entry, &(_, position)) in entries.iter_mut().zip(keys) {
            *entry = self.entry(position as usize);
        }
        entries
    }

    fn entry(&self, position: usize) -> Option<Entry> {
        self.rows.get(position).map(|row| row.entry(self.first_seq))
    }

    /// The slot where the search for a hash begins.
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() { 0 } else { slot + 1 }
    }

    /// The lowest bits of the hash, which depend least on its home slot, moved above those of a
    /// position.
    fn tag(&self, hash: u64) -> u32 {
        (hash as u32).wrapping_mul(self.position_mask + 1)
    }
}

impl TableRow {
    fn new(entry: &Entry, seq_offset: u32) -> Self {
        Self {
            fingerprint: entry.fingerprint.to_le_bytes(),
            content: entry.content.to_le_bytes(),
            seq_offset: seq_offset.to_le_bytes(),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_le_bytes(self.fingerprint)
    }

    fn seq(&self, first_seq: u64) -> u64 {
        first_seq + u64::from(u32::from_le_bytes(self.seq_offset))
    }

    fn entry(&self, first_seq: u64) -> Entry {
        let content = ContentHash::from_le_bytes(self.content);
        Entry { fingerprint: self.fingerprint(), seq: self.seq(first_seq), content }
    }
}

/// Fingerprints are uniform already, except in tests that make them collide, where any bits may be
/// alike.
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
        assert_eq!(table.insert(&entries[..2]).unwrap(), 2);
        assert_eq!(table.insert(&entries[2..]).unwrap(), 1);
        assert_eq!(table.insert(&entries[3..]).unwrap(), 0);
        assert_eq!((table.len(), table.last_seq()), (3, 102));
    }

    #[test]
    fn seqs_too_far_apart_need_another_table() {
        let mut table = Table::new(10);
        let far = |seq| Entry { fingerprint: 5, seq, content: 0 };
        let entries = [far(7), far(7 + u64::from(u32::MAX)), far(8 + u64::from(u32::MAX))];
        assert_eq!(table.insert(&entries).unwrap(), 2);
        assert_eq!(table.sorted(&mut Vec::new()).unwrap().collect::<Vec<_>>(), entries[..2]);
    }

    #[test]
    fn a_table_that_is_used_again_knows_nothing_of_before() {
        let mut table = Table::in_memory(3);
        assert_eq!(table.insert(&entries(&[1, 2, 3])).unwrap(), 3);
        table.clear();
        assert!(table.is_empty());
        assert_eq!(looked_up(&table, &[1, 2, 3]), []);
        let again = Entry { fingerprint: 2, seq: 9, content: 4 };
        assert_eq!(table.insert(&[again]).unwrap(), 1);
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
            prop_assert_eq!(table.insert(&entries).unwrap(), entries.len());
            let asked: Vec<u128> = (0..500).map(|fingerprint| fingerprint << shift).collect();
            let of = |&fingerprint: &u128| entries.iter().copied().filter(move |e| e.fingerprint == fingerprint);
            let expected: Vec<_> = asked.iter().enumerate().flat_map(|(at, asked)| of(asked).map(move |e| (at, e))).collect();
            prop_assert_eq!(looked_up(&table, &asked), expected);
            let mut larger = Table::in_memory(entries.len() + 1);
            larger.insert_all(&table).unwrap();
            prop_assert_eq!(looked_up(&larger, &asked), looked_up(&table, &asked));
            let mut sorted = entries.clone();
            sorted.sort_unstable();
            prop_assert_eq!(table.sorted(&mut Vec::new()).unwrap().collect::<Vec<_>>(), sorted);
        }
    }
}
