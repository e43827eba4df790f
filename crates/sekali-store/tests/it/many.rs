//! More events than in any other test, to catch faults that occur once in very many.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Outcome, Scan, Tuning};

use crate::support::{Opened, Sent, collect};

const COMMITS: u64 = 125;
const EVENTS_PER_COMMIT: u64 = 1_000;

fn commit(number: u64) -> Vec<Sent> {
    let ids = number * EVENTS_PER_COMMIT..(number + 1) * EVENTS_PER_COMMIT;
    ids.map(|id| Sent::new(format!("topic-{}", id % 7), id, format!("payload of {id}"))).collect()
}

#[test]
fn not_one_of_many_events_is_missing() {
    let tuning = Tuning { seal_in_background: false, log_file_bytes: 1 << 20, ..Tuning::default() };
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for number in 0..COMMITS {
        let outcomes = opened.commit(&commit(number)).unwrap();
        let seqs = number * EVENTS_PER_COMMIT + 1..=(number + 1) * EVENTS_PER_COMMIT;
        assert!(outcomes.iter().copied().eq(seqs.map(|seq| Outcome::Stored { seq })), "commit {number}");
    }
    drop(opened);
    let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
    let stored = collect(&opened.reader(), Scan::default());
    assert!(stored.iter().map(|event| event.seq).eq(1..=COMMITS * EVENTS_PER_COMMIT), "a seq is missing");
    assert!(stored.iter().all(|event| event.payload == format!("payload of {}", event.seq - 1).as_bytes()));
    for number in 0..COMMITS {
        let outcomes = opened.commit(&commit(number)).unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "commit {number}");
    }
}
