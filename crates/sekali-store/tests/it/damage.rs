//! Rot, truncation and lost files: always named, never silent, and the rest is served.

use std::path::Path;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::disk::{Disk, read_all};
use sekali_store::{Error, Outcome, Scan, Tuning};

use crate::support::{BUSY, DIR, LOG_ONLY, Opened, Random, Sent, collect, files};

fn event(id: u64) -> Sent {
    Sent::new("t", id, format!("payload of {id}"))
}

/// Twenty commits of ten events each, closed in order.
fn filled(tuning: Tuning) -> MemoryDisk {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    for commit in 0..20 {
        let events: Vec<_> = (commit * 10..commit * 10 + 10).map(event).collect();
        opened.commit(&events).unwrap();
    }
    opened.partition.close().unwrap();
    disk
}

/// Checks that every event is either served as it was, or named as lost, or (only the last commit) cut as torn.
fn check(disk: &MemoryDisk, tuning: Tuning, what: &str) {
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
    // Publishing everything again heals it: what is there is a duplicate, what was lost is stored.
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored { .. })).count();
    assert_eq!(stored as u64, named, "{what}");
    for id in 0..200 {
        let found = opened.reader().find("t", &id.to_string()).unwrap();
        assert_eq!(found.map(|found| found.payload), Some(event(id).payload), "{what}");
    }
    assert_eq!(opened.reader().damage(), damage, "{what}: healing is no new damage");
    drop(opened);
    // And it stays so: nothing of what was given up comes back beside what has taken its place.
    let opened = Opened::open_with(&disk.kill(), tuning).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut ids: Vec<_> = collect(&opened.reader(), Scan::default()).into_iter().map(|event| event.event_id).collect();
    ids.sort_unstable_by_key(|id| id.parse::<u64>().ok());
    assert!(ids.iter().eq((0..200).map(|id: u64| id.to_string()).collect::<Vec<_>>().iter()), "{what}: {ids:?}");
}

/// Flips a bit of a file, or zeroes a block of it, at random. Answers what was done.
fn rot(disk: &MemoryDisk, path: &Path, random: &mut Random) -> String {
    let len = read_all(disk, path).unwrap().len();
    let at = random.below(len as u64) as usize;
    if random.below(2) == 0 {
        let bit = random.below(8);
        disk.corrupt(path, |bytes| bytes[at] ^= 1 << bit);
        return format!("{}: bit {bit} of byte {at} flipped", path.display());
    }
    let end = (at + 4096).min(len);
    disk.corrupt(path, |bytes| bytes[at..end].fill(0));
    format!("{}: bytes {at} to {end} zeroed", path.display())
}

#[test]
fn bit_rot_in_the_log_is_named_by_seq_and_healed_by_publishing_again() {
    let clean = filled(LOG_ONLY);
    let path = files(&clean, "log").remove(0);
    let mut random = Random(1);
    for _ in 0..300 {
        let disk = clean.kill();
        let what = rot(&disk, &path, &mut random);
        check(&disk, LOG_ONLY, &what);
    }
}

#[test]
fn bit_rot_in_any_file_is_named_by_seq_and_healed_by_publishing_again() {
    let clean = filled(BUSY);
    let meta = Path::new(DIR).join("store.toml");
    let useless = |path: &Path| path.ends_with("LOCK") || path.ends_with("SPARE");
    let all: Vec<_> = clean.paths().into_iter().filter(|path| *path != meta && !useless(path)).collect();
    assert!(["log", "run", "parquet"].iter().all(|ending| !files(&clean, ending).is_empty()));
    let mut random = Random(2);
    for case in 0..300 {
        let disk = clean.kill();
        let path = &all[case % all.len()];
        let before = read_all(&disk, path).unwrap();
        let what = rot(&disk, path, &mut random);
        if read_all(&disk, path).unwrap() == before {
            continue;
        }
        // What of the index is damaged shows at a commit, and the next start has mended it.
        if path.extension().is_some_and(|ending| ending == "run") {
            let mut opened = Opened::open(&disk).unwrap();
            let _ = opened.commit(&(0..200).map(event).collect::<Vec<_>>());
        }
        check(&disk.kill(), BUSY, &what);
    }
}

#[test]
fn a_lost_segment_is_named_and_healed_by_publishing_again() {
    let clean = filled(BUSY);
    for path in files(&clean, "parquet") {
        let disk = clean.kill();
        disk.remove(&path).unwrap();
        check(&disk, BUSY, &format!("{} removed", path.display()));
    }
}

#[test]
fn damage_while_serving_is_found_by_the_read_and_named() {
    let disk = filled(LOG_ONLY);
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes[3_000] ^= 1);
    let served = collect(&opened.reader(), Scan::default()).len() as u64;
    let damage = opened.reader().damage();
    let [found] = &damage[..] else { panic!("{damage:?}") };
    let lost = found.first_seq..=found.last_seq;
    assert_eq!(served + lost.clone().count() as u64, 200);
    assert!(found.to_string().contains(&format!("seq {} to {}", lost.start(), lost.end())), "{found}");
    // Reading once more reports it once.
    collect(&opened.reader(), Scan::default());
    assert_eq!(opened.reader().damage(), damage);
    let id = lost.start() - 1;
    assert!(matches!(opened.commit(&[event(id)]).unwrap()[..], [Outcome::Stored { .. }]));
}

#[test]
fn a_torn_tail_is_cut_and_a_copy_is_kept() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    opened.commit(&[event(0)]).unwrap();
    opened.commit(&[event(1)]).unwrap();
    drop(opened);
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() - 5));
    let opened = Opened::open(&disk).unwrap();
    assert_eq!(opened.reader().damage(), []);
    assert_eq!(collect(&opened.reader(), Scan::default()).len(), 1);
    let torn = opened.partition.torn_tail().expect("reported");
    assert_eq!(read_all(&disk, &torn.kept).unwrap().len() as u64, torn.bytes);
}

#[test]
fn a_store_without_its_meta_file_is_not_taken_for_a_new_one() {
    let disk = filled(BUSY);
    let path = Path::new(DIR).join("store.toml");
    disk.remove(&path).unwrap();
    assert!(matches!(Opened::open(&disk), Err(Error::Damaged { path: named, .. }) if named == path));
}

#[test]
fn a_newer_format_is_refused() {
    let disk = filled(BUSY);
    disk.corrupt(&Path::new(DIR).join("store.toml"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = (text.replace("format = 1", "format = 2") + "novelty = true\n").into_bytes();
    });
    assert!(matches!(Opened::open(&disk), Err(Error::NewerFormat { found: 2, known: 1, .. })));
}

/// Checks that a store whose index was harmed is what it was, and says that it has rebuilt the index.
fn check_rebuilt(disk: &MemoryDisk, what: &str) {
    let mut opened = Opened::open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let why = opened.partition.rebuilt_index().unwrap_or_else(|| panic!("{what}: not noticed")).to_owned();
    assert!(why.contains("/store/p0000"), "{what}: {why}");
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{what}: {outcomes:?}");
    assert_eq!(opened.reader().damage(), [], "{what}: the log is sound");
}

#[test]
fn a_lost_or_damaged_index_is_rebuilt_from_the_log() {
    let clean = filled(BUSY);
    let runs = files(&clean, "run");
    assert!(!runs.is_empty());
    for run in &runs {
        let disk = clean.kill();
        disk.remove(run).unwrap();
        check_rebuilt(&disk, &format!("{} removed", run.display()));
        let disk = clean.kill();
        disk.corrupt(run, |bytes| bytes.truncate(bytes.len() / 2));
        check_rebuilt(&disk, &format!("{} cut", run.display()));
    }
    let disk = clean.kill();
    assert!(disk.corrupt(&Path::new(DIR).join("p0000/MANIFEST"), |bytes| bytes[60] ^= 1));
    check_rebuilt(&disk, "MANIFEST flipped");
}

#[test]
fn a_damaged_block_of_the_index_is_never_trusted_and_the_next_start_rebuilds() {
    let disk = filled(BUSY);
    let runs = files(&disk, "run");
    for run in &runs {
        // The middle of a block of entries.
        disk.corrupt(run, |bytes| bytes[6_000] ^= 1);
    }
    let mut opened = Opened::open(&disk).unwrap();
    let events: Vec<_> = (0..200).map(event).collect();
    assert!(matches!(opened.commit(&events), Err(Error::Damaged { .. })));
    assert!(matches!(opened.commit(&events), Err(Error::Stopped(_))));
    drop(opened);
    let mut opened = Opened::open(&disk.kill()).unwrap();
    let outcomes = opened.commit(&events).unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{outcomes:?}");
}

#[test]
fn a_log_that_ends_before_what_the_index_covers_is_damage_and_no_seq_is_used_twice() {
    let disk = filled(LOG_ONLY);
    let path = files(&disk, "log").remove(0);
    disk.corrupt(&path, |bytes| bytes.truncate(bytes.len() / 2));
    let mut opened = Opened::open_with(&disk, LOG_ONLY).unwrap();
    let damage = opened.reader().damage();
    let last = damage.iter().map(|damage| damage.last_seq).max().expect("it is named");
    assert!(damage[0].first_seq > 50 && last > 180, "{damage:?}");
    let outcomes = opened.commit(&[event(0), event(150)]).unwrap();
    assert!(matches!(outcomes[..], [Outcome::Duplicate { .. }, Outcome::Stored { seq }] if seq > last), "{outcomes:?}");
}
