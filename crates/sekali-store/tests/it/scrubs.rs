//! A scrub finds damage that no read has met, names it, and repairs it where possible.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::read_all;
use sekali_store::{Outcome, Scrubbed};

use crate::support::{BUSY, DIR, LOG_ONLY, Opened, Random, Sent, files};

fn event(id: u64) -> Sent {
    Sent::new(format!("topic-{}", id % 3), id, format!("payload of {id}"))
}

fn filled(disk: &MemoryDisk) -> Opened {
    let mut opened = Opened::open(disk).unwrap();
    for commit in 0..20 {
        opened.commit(&(commit * 10..commit * 10 + 10).map(event).collect::<Vec<_>>()).unwrap();
    }
    opened
}

/// A whole pass, in steps of this many bytes.
fn scrub(opened: &Opened, step: u64) -> Scrubbed {
    let (mut scrubber, mut sum) = (opened.partition.scrubber(), Scrubbed::default());
    while !sum.is_done {
        let Scrubbed { bytes, mended, is_done } = scrubber.step(step);
        (sum.bytes, sum.is_done) = (sum.bytes + bytes, is_done);
        sum.mended.extend(mended);
    }
    sum
}

#[test]
fn a_sound_store_is_read_whole_and_nothing_is_found() {
    let disk = MemoryDisk::new();
    let opened = filled(&disk);
    let stats = opened.reader().storage_stats();
    let all = stats.segment_bytes + stats.log_bytes + opened.reader().index_stats().disk_bytes;
    assert!(stats.segments > 0 && stats.log_files > 0);
    for step in [1, 5_000, u64::MAX] {
        assert_eq!(scrub(&opened, step), Scrubbed { bytes: all, mended: Vec::new(), is_done: true }, "step {step}");
    }
    assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]));
}

#[test]
fn every_flipped_bit_is_named_or_mended() {
    let clean = MemoryDisk::new();
    drop(filled(&clean));
    let mut random = Random(11);
    let useless = |path: &Path| path.ends_with("LOCK") || path.ends_with("SPARE");
    let all: Vec<_> = clean.paths().into_iter().filter(|path| !useless(path)).collect();
    for case in 0..400 {
        let disk = clean.kill();
        let opened = Opened::open(&disk).unwrap();
        let Some(path) = all.get(case % all.len()).filter(|path| disk.paths().contains(path)) else { continue };
        let len = read_all(&disk, path).unwrap().len() as u64;
        let (at, bit) = (random.below(len) as usize, random.below(8));
        disk.corrupt(path, |bytes| bytes[at] ^= 1 << bit);
        let found = scrub(&opened, 3_000);
        let reader = opened.reader();
        let named = reader.damage().len() + reader.flaws().len() + found.mended.len();
        assert_eq!(named, 1, "{}: bit {bit} of byte {at}: {:?} {:?}", path.display(), reader.damage(), reader.flaws());
        if !found.mended.is_empty() {
            assert_eq!(scrub(&opened, 3_000).mended, [""; 0], "{} was mended", path.display());
            drop((opened, reader));
            Opened::open(&disk).unwrap();
        }
    }
}

#[test]
fn what_a_scrub_finds_lost_is_healed_by_publishing_it_again_and_the_loss_can_be_accepted() {
    for (tuning, ending) in [(LOG_ONLY, "log"), (BUSY, "parquet")] {
        let disk = MemoryDisk::new();
        let mut opened = Opened::open_with(&disk, tuning).unwrap();
        let all: Vec<_> = (0..100).map(event).collect();
        all.chunks(5).for_each(|events| drop(opened.commit(events).unwrap()));
        assert!(disk.corrupt(&files(&disk, ending)[0], |bytes| bytes[300] ^= 1));
        scrub(&opened, 10_000);
        let [found] = &opened.reader().damage()[..] else { panic!("{:?}", opened.reader().damage()) };
        let lost = found.last_seq + 1 - found.first_seq;
        let outcomes = opened.commit(&all).unwrap();
        let stored = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored { .. })).count();
        assert_eq!(stored as u64, lost);
        assert_eq!(opened.reader().damage().len(), 1, "nobody knows yet that this was all");
        assert_eq!(opened.accept_damage(), 1);
        assert_eq!(opened.reader().damage(), []);
        for _ in 0..2 {
            drop(opened);
            opened = Opened::open_with(&disk, tuning).unwrap();
            scrub(&opened, 10_000);
            assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]), "{ending}");
            assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [], "{ending}");
            let outcomes = opened.commit(&all).unwrap();
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
        }
    }
}

#[test]
fn a_damaged_run_is_named_and_the_next_start_rebuilds_the_index() {
    let disk = MemoryDisk::new();
    let opened = filled(&disk);
    for run in files(&disk, "run") {
        disk.corrupt(&run, |bytes| bytes[5_000] ^= 1);
    }
    scrub(&opened, 10_000);
    let flaws = opened.reader().flaws();
    assert!(!flaws.is_empty() && flaws.iter().all(|flaw| flaw.contains(".run is damaged: block 0")), "{flaws:?}");
    drop(opened);
    let mut opened = Opened::open(&disk).unwrap();
    assert!(opened.partition.rebuilt_index().is_some());
    assert_eq!(opened.reader().flaws(), [""; 0]);
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
    drop(opened);
    assert_eq!(Opened::open(&disk).unwrap().partition.rebuilt_index(), None, "once is enough");
}

#[test]
fn sealing_and_merging_do_not_disturb_a_scrub() {
    let disk = MemoryDisk::new();
    let mut opened = filled(&disk);
    let (mut scrubber, mut passes) = (opened.partition.scrubber(), 0);
    for id in 200..700 {
        opened.commit(&[event(id)]).unwrap();
        passes += u64::from(scrubber.step(2_000).is_done);
    }
    assert!(passes > 5, "{passes}");
    assert_eq!((opened.reader().damage(), opened.reader().flaws()), (vec![], vec![]));
    assert!(disk.corrupt(&Path::new(DIR).join("store.toml"), |bytes| bytes[20] ^= 1));
    assert_eq!(scrub(&opened, 1_000).mended.len(), 1);
}
