//! The check of a whole store finds what is wrong, and nothing where nothing is.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Finding, Tuning, Verification};

use crate::support::{BUSY, LOG_ONLY, Opened, Random, Sent, files};

fn verify(opened: &mut Opened) -> Verification {
    opened.partition.verify(|_| {}).unwrap()
}

#[test]
fn a_sound_store_has_no_findings_even_with_collisions_and_conflicts() {
    for fingerprint_mask in [u128::MAX, 7 << 99] {
        let tuning = Tuning { fingerprint_mask, ..BUSY };
        let disk = MemoryDisk::new();
        let (mut opened, mut random) = (Opened::open_with(&disk, tuning).unwrap(), Random(4));
        for _ in 0..80 {
            opened.commit(&random.events()).unwrap();
        }
        let events = opened.reader().last_seq();
        assert!(opened.reader().counters().conflicts > 5, "{:?}", opened.reader().counters());
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        // A forgotten index comes back.
        opened.partition.forget_index().unwrap();
        opened.commit(&[Sent::new("t", 1, "p")]).unwrap_err();
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
    }
}

fn filled(tuning: Tuning) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for id in 0..100 {
        opened.commit(&[Sent::new("t", id, "payload")]).unwrap();
    }
    disk
}

/// What a check finds when bit 0 of this byte is flipped in each file with this ending.
fn found_after(disk: &MemoryDisk, tuning: Tuning, ending: &str, at: usize) -> Vec<Finding> {
    let disk = disk.kill();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    files(&disk, ending).iter().for_each(|path| assert!(disk.corrupt(path, |bytes| bytes[at] ^= 1)));
    verify(&mut opened).findings
}

#[test]
fn what_is_wrong_is_found() {
    let disk = filled(LOG_ONLY);
    let found = found_after(&disk, LOG_ONLY, "log", 5_000);
    assert!(matches!(found[..], [Finding::Lost(_)]), "{found:?}");
    let found = found_after(&disk, LOG_ONLY, "run", 5_000);
    assert!(matches!(found[..], [Finding::IndexDamaged(_)]), "{found:?}");
    let found = found_after(&filled(BUSY), BUSY, "parquet", 40);
    assert!(found.iter().any(|finding| matches!(finding, Finding::Lost(_))), "{found:?}");
    assert!(found.iter().any(|finding| matches!(finding, Finding::Segment(_))), "{found:?}");
}
