//! Rot at random places of every kind of file: it is always named, and all other events are served.

use std::path::{Path, PathBuf};

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk, read_all};
use sekali_store::{Error, Outcome, Scan, Tuning};
use sekali_testkit::Trial;

use crate::support::{BUSY, LOG_ONLY, Opened, Random, Sent, collect, files};

pub(crate) fn event(id: u64) -> Sent {
    Sent::new("t", id, format!("payload of {id}"))
}

/// Twenty commits of ten events each, closed in order.
pub(crate) fn filled(tuning: Tuning) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let opened = fill(&disk, tuning);
    opened.partition.close().unwrap();
    disk
}

/// The same, killed after it had fallen idle.
fn filled_idle(tuning: Tuning) -> MemoryDisk {
    let disk = MemoryDisk::new();
    fill(&disk, tuning).partition.mark().unwrap();
    disk.kill()
}

fn fill(disk: &MemoryDisk, tuning: Tuning) -> Opened {
    let mut opened = Opened::open_with(disk, tuning).unwrap();
    for commit in 0..20 {
        let events: Vec<_> = (commit * 10..commit * 10 + 10).map(event).collect();
        opened.commit(&events).unwrap();
    }
    opened
}

/// Checks that every event is either served unchanged or named as lost. Returns the number of lost
/// events.
pub(crate) fn check(disk: &MemoryDisk, tuning: Tuning, what: &str) -> u64 {
    let mut opened = Opened::open_with(disk, tuning).unwrap_or_else(|error| panic!("{what}: {error}"));
    let reader = opened.reader();
    let served = collect(&reader, Scan::default());
    for stored in &served {
        let id = stored.seq - 1;
        assert_eq!((&stored.event_id, &stored.payload), (&id.to_string(), &event(id).payload), "{what}: wrong bytes");
    }
    let damage = reader.damage();
    let named = damage.iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum::<u64>();
    assert_eq!(served.len() as u64 + named, 200, "{what}: silently missing: {damage:?}");
    // Publishing everything again heals the loss: present events are duplicates, lost ones are
    // stored.
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored { .. })).count();
    assert_eq!(stored as u64, named, "{what}");
    for id in 0..200 {
        let found = opened.reader().find("t", &id.to_string()).unwrap();
        assert_eq!(found.map(|found| found.payload), Some(event(id).payload), "{what}");
    }
    assert_eq!(opened.reader().damage(), damage, "{what}: healing is no new damage");
    drop(opened);
    // And it stays so: no lost event reappears beside its replacement.
    let opened = Opened::open_with(&disk.kill(), tuning).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut ids: Vec<_> = collect(&opened.reader(), Scan::default()).into_iter().map(|event| event.event_id).collect();
    ids.sort_unstable_by_key(|id| id.parse::<u64>().ok());
    assert!(ids.iter().eq((0..200).map(|id: u64| id.to_string()).collect::<Vec<_>>().iter()), "{what}: {ids:?}");
    named
}

/// The files of a store, by name or ending. The lock is empty, and the spare is never read.
const KINDS: [&str; 6] = ["log", "outline", "run", "parquet", "MANIFEST", "store.toml"];

/// Damages a file as a medium might. Returns a description of the damage.
fn harm(disk: &MemoryDisk, path: &Path, random: &mut Random) -> String {
    let len = read_all(disk, path).unwrap().len() as u64;
    let (at, bit) = (random.below(len.max(1)) as usize, random.below(8));
    let zero = |bytes: &mut Vec<u8>, end: usize| bytes.iter_mut().take(end).skip(at).for_each(|byte| *byte = 0);
    let what = match random.below(8) {
        0..4 => {
            disk.corrupt(path, |bytes| bytes[at] ^= 1 << bit);
            format!("bit {bit} of byte {at} flipped")
        }
        4..6 => {
            disk.corrupt(path, |bytes| zero(bytes, at + 4096));
            format!("4,096 bytes from {at} on zeroed")
        }
        6 => {
            disk.corrupt(path, |bytes| bytes.truncate(at));
            format!("cut to {at} bytes")
        }
        _ => {
            disk.corrupt(path, |bytes| zero(bytes, usize::MAX));
            format!("zeroed from byte {at} to its end")
        }
    };
    format!("{}: {what}", path.display())
}

#[test]
fn bit_rot() {
    let clean = [
        (BUSY, filled(BUSY)),
        (LOG_ONLY, filled(LOG_ONLY)),
        (BUSY, filled_idle(BUSY)),
        (LOG_ONLY, filled_idle(LOG_ONLY)),
    ];
    let mut trial = Trial::begin("bit_rot", 300);
    let (mut events_named, mut harmed, mut refused) = (0, 0_u64, 0_u64);
    while let Some(cycle) = trial.next_cycle() {
        let mut random = Random(trial.seed() + cycle);
        let (tuning, clean) = &clean[random.below(clean.len() as u64) as usize];
        let kind = KINDS[random.below(KINDS.len() as u64) as usize];
        let of_kind = |path: &&PathBuf| path.ends_with(kind) || path.extension().is_some_and(|it| it == kind);
        let paths = clean.paths();
        let paths: Vec<_> = paths.iter().filter(of_kind).collect();
        let disk = clean.kill();
        let Some(path) = paths.get(random.below(paths.len().max(1) as u64) as usize) else { continue };
        let before = read_all(&disk, path).unwrap();
        let what = harm(&disk, path, &mut random);
        if read_all(&disk, path).unwrap() == before {
            continue;
        }
        println!("{what}");
        harmed += 1;
        if kind == "store.toml" {
            // Without its secret the store cannot verify anything; it says so and changes nothing.
            let refusal = Opened::open_with(&disk, *tuning).err().expect("the meta file is damaged");
            assert!(matches!(refusal, Error::Damaged { .. } | Error::NewerFormat { .. }), "{what}: {refusal}");
            assert!(refusal.to_string().contains("store.toml"), "{what}: {refusal}");
            refused += 1;
            continue;
        }
        if kind == "run" {
            // Damage to the index appears at a commit, and the next start repairs it.
            let mut opened = Opened::open_with(&disk, *tuning).unwrap();
            let _ = opened.commit(&(0..200).map(event).collect::<Vec<_>>());
        }
        events_named += check(&disk.kill(), *tuning, &what);
    }
    assert!(harmed > 0);
    trial.note("faults", harmed);
    trial.note("events_lost_and_named", events_named);
    trial.note("starts_refused_and_named", refused);
    for promise in ["silent", "wrong_bytes", "stored_twice", "panics"] {
        trial.note(promise, 0);
    }
    trial.end();
}

/// Any loss at the end of the last log file: once the partition has closed or fallen idle, the
/// manifest knows that the events existed.
#[test]
fn the_end_of_the_log_zeroed_or_cut_is_damage_once_the_log_was_closed_or_idle() {
    for clean in [filled(LOG_ONLY), filled_idle(LOG_ONLY)] {
        let path = files(&clean, "log").remove(0);
        let len = read_all(&clean, &path).unwrap().len();
        for gone in (1..len).step_by(41).chain([len]) {
            for cut in [false, true] {
                let disk = clean.kill();
                disk.corrupt(&path, |bytes| {
                    bytes.truncate(len - gone);
                    bytes.resize(if cut { len - gone } else { len }, 0);
                });
                let what = format!("the last {gone} of {len} bytes gone, cut: {cut}");
                let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
                let damage = opened.reader().damage();
                assert_eq!(damage.last().map(|damage| damage.last_seq), Some(200), "{what}: {damage:?}");
                assert!(opened.partition.torn_tail().is_none(), "{what}");
                assert_eq!(opened.reader().counters().stored, 200, "{what}: counters survive");
                drop(opened);
                check(&disk, LOG_ONLY, &what);
            }
        }
        let disk = clean.kill();
        disk.remove(&path).unwrap();
        assert_eq!(check(&disk, LOG_ONLY, "the log is gone"), 200);
    }
}

/// Commits of duplicates store no events, but they count.
#[test]
fn a_lost_commit_without_events_is_named_and_still_counted() {
    let disk = MemoryDisk::new();
    let mut opened = fill(&disk, LOG_ONLY);
    let path = files(&disk, "log").remove(0);
    let len = read_all(&disk, &path).unwrap().len();
    opened.commit(&[event(1)]).unwrap();
    let counters = opened.reader().counters();
    opened.partition.close().unwrap();
    disk.corrupt(&path, |bytes| bytes[len..].fill(0));
    let opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let (damage, flaws) = (opened.reader().damage(), opened.reader().flaws());
    assert!(flaws.len() == 1 && flaws[0].ends_with("a header is unreadable, no event is lost"), "{flaws:?}");
    assert_eq!(damage, []);
    assert_eq!(opened.reader().counters(), counters);
}

#[test]
fn an_open_and_close_without_commits_writes_nothing_to_log_and_manifest() {
    let disk = filled(BUSY);
    let contents = |disk: &MemoryDisk| -> Vec<_> {
        let kept = disk.paths().into_iter().filter(|path| !path.ends_with("SPARE"));
        kept.map(|path| (read_all(disk, &path).unwrap(), path)).collect()
    };
    let before = contents(&disk);
    for _ in 0..3 {
        Opened::open(&disk).unwrap().partition.close().unwrap();
    }
    assert!(contents(&disk) == before, "a store that is opened often grows");
}
