//! Random operations against a `BTreeMap`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Operation {
    /// Inserts entries with these fingerprints.
    Insert(Vec<u128>),
    /// Does this many steps of background work.
    Steps(usize),
    Flush,
    Crash,
}

/// The expected content: by fingerprint, the entries in order of seq.
#[derive(Default)]
struct Model {
    entries: BTreeMap<u128, Vec<Entry>>,
    all: Vec<Entry>,
}

impl Model {
    fn insert(&mut self, fingerprints: &[u128]) -> Vec<Entry> {
        let first = self.all.len() as u64 + 1;
        let new: Vec<_> = fingerprints
            .iter()
            .zip(first..)
            .map(|(&fingerprint, seq)| Entry { fingerprint, seq, content: seq.wrapping_mul(77) })
            .collect();
        new.iter().for_each(|entry| self.entries.entry(entry.fingerprint).or_default().push(*entry));
        self.all.extend(&new);
        new
    }

    fn found(&self, fingerprints: &[u128]) -> Vec<(usize, Entry)> {
        let of = |fingerprint| self.entries.get(fingerprint).into_iter().flatten();
        fingerprints.iter().enumerate().flat_map(|(at, asked)| of(asked).map(move |entry| (at, *entry))).collect()
    }
}

/// Shifts under which the few fingerprints of a case collide in different parts of the index.
const SHIFTS: [u32; 4] = [0, 57, 64, 119];
const VALUES: u128 = 300;

fn operation(shift: u32) -> impl Strategy<Value = Operation> {
    let fingerprints = prop::collection::vec((0..VALUES).prop_map(move |value| value << shift), 0..90);
    prop_oneof![
        6 => fingerprints.prop_map(Operation::Insert),
        3 => (1..6_usize).prop_map(Operation::Steps),
        1 => Just(Operation::Flush),
        1 => Just(Operation::Crash),
    ]
}

fn case() -> impl Strategy<Value = (u32, Vec<Operation>)> {
    prop::sample::select(SHIFTS.as_slice())
        .prop_flat_map(|shift| (Just(shift), prop::collection::vec(operation(shift), 1..60)))
}

proptest! {
    #[test]
    fn the_index_answers_as_a_map_does((shift, operations) in case()) {
        let disk = MemoryDisk::new();
        let mut model = Model::default();
        let mut index = TestIndex::open(&disk).unwrap();
        let asked: Vec<u128> = (0..VALUES + 5).chain([7, 7, 3]).map(|value| value << shift).collect();
        for operation in operations {
            match operation {
                Operation::Insert(fingerprints) => index.index.insert(&model.insert(&fingerprints)).unwrap(),
                Operation::Steps(steps) => (0..steps).for_each(|_| { index.index.step().unwrap(); }),
                Operation::Flush => index.index.flush().unwrap(),
                Operation::Crash => {
                    index = index.reopen().unwrap();
                    let covered = index.index.covered_seq() as usize;
                    index.index.insert(&model.all[covered..]).unwrap();
                }
            }
            prop_assert_eq!(index.found(&asked), model.found(&asked));
        }
        let stats = index.stats();
        prop_assert_eq!(stats.entries_in_runs + stats.entries_in_memory, model.all.len() as u64);
        prop_assert_eq!(stats.failed, None);
    }
}
