//! Real files that are not what their names say: links, locked files, files that come back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sekali_store::disk::RealDisk;
use sekali_store::{HashKey, Result, Scan, StoreMeta, StoreOptions, backup};

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
