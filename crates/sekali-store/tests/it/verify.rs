//! The check of a whole store finds what is wrong, and nothing where nothing is.

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Finding, Verification};

use crate::support::{Opened, Random, Sent, log_files};

fn verify(opened: &mut Opened) -> Verification {
    opened.partition.verify(|_| {}).unwrap()
}

#[test]
fn a_sound_store_has_no_findings_even_with_collisions_and_conflicts() {
    for mask in [u128::MAX, 7 << 99] {
        let disk = MemoryDisk::new();
        let (mut opened, mut random) = (Opened::open_with(&disk, mask).unwrap(), Random(4));
        for _ in 0..80 {
            opened.commit(&random.events()).unwrap();
        }
        let events = opened.reader().last_seq();
        assert!(opened.reader().counters().conflicts > 5, "{:?}", opened.reader().counters());
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), mask).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
        // A forgotten index comes back.
        opened.partition.forget_index().unwrap();
        opened.commit(&[Sent::new("t", 1, "p")]).unwrap_err();
        drop(opened);
        let mut opened = Opened::open_with(&disk.kill(), mask).unwrap();
        assert_eq!(verify(&mut opened), Verification { events, ..Verification::default() });
    }
}

#[test]
fn what_is_wrong_is_found() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    for id in 0..100 {
        opened.commit(&[Sent::new("t", id, "payload")]).unwrap();
    }
    let log = log_files(&disk).remove(0);
    disk.corrupt(&log, |bytes| bytes[5_000] ^= 1);
    let found = verify(&mut opened);
    assert!(matches!(found.findings[..], [Finding::Lost(_)]), "{found:?}");
    disk.corrupt(&log, |bytes| bytes[5_000] ^= 1);
    drop(opened);
    let disk = disk.kill();
    for run in disk.paths().into_iter().filter(|path| path.extension().is_some_and(|end| end == "run")) {
        disk.corrupt(&run, |bytes| bytes[5_000] ^= 1);
    }
    let found = verify(&mut Opened::open(&disk).unwrap());
    assert!(matches!(found.findings[..], [Finding::IndexDamaged(_)]), "{found:?}");
}
