//! Fingerprints that collide on purpose, through the whole commit path.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Outcome, Tuning};

use crate::support::{BUSY, Opened, Oracle, Random, RandomEvents as _, Sent};

/// Two bits of fingerprint: among 240 keys everything collides.
const COLLIDING: Tuning = Tuning { fingerprint_mask: 3 << 100, ..BUSY };

#[test]
fn keys_with_one_fingerprint_are_told_apart() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut random = Random(seed);
        let disk = MemoryDisk::new();
        let mut opened = Opened::open_with(&disk, COLLIDING).unwrap();
        let mut oracle = Oracle::default();
        for _ in 0..20 {
            let events = random.events();
            let outcomes = opened.commit(&events).unwrap();
            oracle.told(&events, &outcomes);
        }
        oracle.check(&opened);
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), COLLIDING).unwrap();
        oracle.check(&opened);
        oracle.check_resend(&mut opened);
    }
}

#[test]
fn keys_with_one_fingerprint_and_the_same_content_are_two_events() {
    let mut opened = Opened::open_with(&MemoryDisk::new(), Tuning { fingerprint_mask: 0, ..BUSY }).unwrap();
    let events: Vec<_> = (0..50).map(|id| Sent::new("t", id, "same")).collect();
    let outcomes = opened.commit(&events).unwrap();
    let seqs: Vec<_> = (1..=50).map(|seq| Outcome::Stored { seq }).collect();
    assert_eq!(outcomes, seqs);
    let again: Vec<_> = (1..=50).map(|seq| Outcome::Duplicate { seq }).collect();
    assert_eq!(opened.commit(&events).unwrap(), again);
}
