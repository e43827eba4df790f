//! Real files that are not what their names say: links, locked files, files that come back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sekali_store::disk::RealDisk;
use sekali_store::{
    Error, HashKey, Outcome, Result, Retention, Scan, SizeRule, StoreMeta, StoreOptions, TopicPattern, backup,
};

use crate::bit_rot::event;
use crate::support::{BUSY, Opened, RULES, collect};

const NEW: StoreMeta = StoreMeta { store_id: 7, hash_key: HashKey([7; 32]), partitions: 1 };

fn open(dir: &Path) -> Result<Opened> {
    let store = StoreOptions::new().rules(RULES).tuning(BUSY).open_or_create(dir, &NEW)?;
    let hasher = store.hasher();
    Ok(Opened { partition: store.into_partitions().pop().expect("one partition"), hasher })
}

/// A store of 200 events in segments, runs and log files, closed.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let mut opened = open(&dir).unwrap();
    for commit in 0..20 {
        opened.commit(&(commit * 10..commit * 10 + 10).map(event).collect::<Vec<_>>()).unwrap();
    }
    opened.partition.close().unwrap();
    (parent, dir)
}

fn first_in(dir: &Path, suffix: &str) -> PathBuf {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_str().unwrap().ends_with(suffix)).collect();
    paths.sort_unstable();
    paths.into_iter().next().expect("there is one")
}

#[test]
fn a_planted_spare_does_not_get_the_log_written_into_its_target() {
    let (parent, dir) = filled();
    let (spare, victim) = (dir.join("p0000/log/SPARE"), parent.path().join("victim"));
    fs::write(&victim, "another file").unwrap();
    let _ = fs::remove_file(&spare);
    symlink(&victim, &spare).unwrap();
    let refused = open(&dir).err().expect("a link is in the way").describe();
    assert!(refused.contains("SPARE") && refused.contains("symbolic link"), "{refused}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "another file");
    fs::remove_file(&spare).unwrap();
    assert_eq!(collect(&open(&dir).unwrap().reader(), Scan::default()).len(), 200);
}

#[test]
fn a_link_in_place_of_a_file_refuses_the_start_and_no_event_counts_as_lost() {
    for (folder, suffix) in [("segments", ".parquet"), ("log", ".log"), ("ids", ".run"), ("", "MANIFEST")] {
        let (parent, dir) = filled();
        let path = first_in(&dir.join("p0000").join(folder), suffix);
        let aside = parent.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let refused = open(&dir).err().unwrap_or_else(|| panic!("{name}: a link is followed")).describe();
        assert!(refused.contains(name) && refused.contains("symbolic link"), "{refused}");
        let copied = backup(&RealDisk, &dir, &parent.path().join("copy"), |_| {});
        assert!(copied.is_err_and(|error| error.describe().contains("symbolic link")), "{name}");
        fs::rename(&aside, &path).unwrap();
        let mut opened = open(&dir).unwrap();
        assert_eq!(opened.reader().damage(), [], "{name}");
        assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [], "{name}");
    }
}

#[test]
fn a_link_in_place_of_a_directory_is_not_followed_and_the_data_directory_may_be_one() {
    for folder in ["p0000", "p0000/log", "p0000/torn", "p0000/ids", "p0000/segments"] {
        let (parent, dir) = filled();
        let (path, aside, copy) = (dir.join(folder), parent.path().join("aside"), parent.path().join("copy"));
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        let before = fs::read_dir(&aside).unwrap().count();
        let accepting = StoreOptions::new().rules(RULES).accept_absence(true).open(&dir).map(drop);
        let frozen = StoreOptions::new().rules(RULES).open_frozen(&dir).map(drop);
        let backed_up = backup(&RealDisk, &dir, &copy, |_| {}).map(drop);
        for refused in [open(&dir).map(drop), accepting, frozen, backed_up] {
            let refused = refused.err().unwrap_or_else(|| panic!("{folder}: a link is followed")).describe();
            assert!(refused.contains(path.to_str().unwrap()) && refused.contains("symbolic link"), "{refused}");
        }
        assert_eq!(fs::read_dir(&aside).unwrap().count(), before, "{folder}: changed where the link leads");
        fs::remove_file(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        let link = parent.path().join("link");
        symlink(&dir, &link).unwrap();
        assert_eq!(collect(&open(&link).unwrap().reader(), Scan::default()).len(), 200, "{folder}");
    }
    // A new store does not begin in a planted link either.
    let parent = tempfile::tempdir().unwrap();
    let (dir, victim) = (parent.path().join("new"), parent.path().join("victim"));
    fs::create_dir(&dir).unwrap();
    fs::create_dir(&victim).unwrap();
    symlink(&victim, dir.join("p0000")).unwrap();
    assert!(open(&dir).is_err_and(|error| error.describe().contains("symbolic link")));
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
}

#[test]
fn a_file_that_another_program_has_locked_refuses_the_start_and_no_event_counts_as_lost() {
    let (_parent, dir) = filled();
    let path = first_in(&dir.join("p0000/segments"), ".parquet");
    let other = fs::File::open(&path).unwrap();
    other.lock().unwrap();
    let refused = open(&dir).err().expect("it is locked").describe();
    assert!(refused.contains(path.to_str().unwrap()) && refused.contains("another program"), "{refused}");
    drop(other);
    let opened = open(&dir).unwrap();
    assert_eq!((opened.reader().damage(), collect(&opened.reader(), Scan::default()).len()), (vec![], 200));
}

/// Lets the oldest events expire: only the index knows their keys.
fn expire_some(dir: &Path) {
    let mut opened = open(dir).unwrap();
    let sizes = vec![SizeRule { topics: TopicPattern::new("*"), bytes: 4_000 }];
    opened.partition.retainer().apply(Arc::new(Retention { ages: Vec::new(), sizes }), 0);
    opened.commit(&[]).unwrap();
    assert!(opened.reader().expired().events > 0);
    opened.partition.close().unwrap();
}

#[test]
fn a_directory_that_is_away_during_a_start_is_no_loss_and_all_events_are_there_once_it_is_back() {
    for (folder, keeps_all) in [("p0000", true), ("p0000/log", true), ("p0000/segments", true), ("p0000/ids", false)] {
        let (parent, dir) = filled();
        if !keeps_all {
            expire_some(&dir);
        }
        let before = collect(&open(&dir).unwrap().reader(), Scan::default());
        let (path, aside, copy) = (dir.join(folder), parent.path().join("aside"), parent.path().join("copy"));
        fs::rename(&path, &aside).unwrap();
        for is_mount_point in [false, true] {
            if is_mount_point {
                fs::create_dir(&path).unwrap();
            }
            let refused = open(&dir).err().unwrap_or_else(|| panic!("{folder}: taken for lost"));
            let (told, named) =
                (refused.to_string(), matches!(&refused, Error::Absent(named) if named.starts_with(&path)));
            assert!(named && told.contains("mount or restore it") && told.contains("--accept-lost"), "{told}");
            assert_eq!(path.exists(), is_mount_point, "{folder}: made anew");
            let frozen = StoreOptions::new().rules(RULES).open_frozen(&dir).map(drop);
            for refused in [frozen, backup(&RealDisk, &dir, &copy, |_| {}).map(drop)] {
                assert!(matches!(refused, Err(Error::Absent(_))), "{folder}: {refused:?}");
            }
            let _ = fs::remove_dir_all(&copy);
        }
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        let mut opened = open(&dir).unwrap();
        assert_eq!(collect(&opened.reader(), Scan::default()), before, "{folder}");
        assert_eq!(opened.partition.verify(|_| {}).unwrap().findings, [], "{folder}");
        let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. })), "{folder}: {outcomes:?}");
    }
}

#[test]
fn a_directory_that_is_gone_for_good_is_lost_once_that_is_accepted() {
    let (_parent, dir) = filled();
    fs::remove_dir_all(dir.join("p0000/segments")).unwrap();
    assert!(matches!(open(&dir), Err(Error::Absent(_))));
    let accepting = StoreOptions::new().rules(RULES).tuning(BUSY).accept_absence(true);
    let mut partition = accepting.open(&dir).unwrap().into_partitions().pop().expect("one partition");
    let lost =
        partition.reader().damage().into_iter().map(|damage| damage.last_seq + 1 - damage.first_seq).sum::<u64>();
    assert_eq!(lost + collect(&partition.reader(), Scan::default()).len() as u64, 200);
    let shown = partition.verify(|_| {}).unwrap();
    partition.accept_damage(&shown).unwrap();
    drop(partition);
    let mut opened = open(&dir).unwrap();
    let outcomes = opened.commit(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    let stored = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Stored { .. })).count();
    assert_eq!((stored as u64, opened.reader().damage()), (lost, vec![]));
}

#[test]
fn a_log_of_which_the_last_file_is_lost_is_damage_in_a_backup_too_and_not_away() {
    let (parent, dir) = filled();
    let log = dir.join("p0000/log");
    for entry in fs::read_dir(&log).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name() != "SPARE" {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let copy = parent.path().join("copy");
    backup(&RealDisk, &dir, &copy, |_| {}).unwrap();
    let damage = open(&copy).unwrap().reader().damage();
    assert!(!damage.is_empty());
    assert_eq!(open(&dir).unwrap().reader().damage().len(), damage.len());
}
