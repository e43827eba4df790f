//! Damage to any file of the index is named: no wrong result, no panic.

use std::path::Path;

use super::*;
use crate::disk::read_all;
use crate::error::Error;

const IDS: u64 = 320;

/// A disk with an index of a merged run, some flushed ones and nothing in memory.
fn filled() -> MemoryDisk {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    index.index.insert(&entries(1, IDS)).unwrap();
    index.index.flush().unwrap();
    index.settle();
    disk
}

/// Opens the index and looks everything up. Stops at the first error.
fn use_all(disk: &MemoryDisk) -> Result<()> {
    let index = TestIndex::open(disk)?;
    let entries = entries(1, IDS);
    let mut found = Vec::new();
    index.index.look_up(&fingerprints(&entries), &mut found)?;
    found.sort_unstable();
    let expected: Vec<_> = entries.iter().copied().enumerate().collect();
    assert_eq!(found, expected, "a wrong answer");
    Ok(())
}

fn assert_named(disk: &MemoryDisk, what: &str) {
    match use_all(disk) {
        Err(Error::Damaged { .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

fn bytes(disk: &MemoryDisk, path: &Path) -> Vec<u8> {
    read_all(disk, path).unwrap()
}

fn with_bytes(disk: &MemoryDisk, path: &Path, changed: Vec<u8>, test: impl FnOnce()) {
    let whole = bytes(disk, path);
    assert!(disk.corrupt(path, |bytes| *bytes = changed));
    test();
    assert!(disk.corrupt(path, |bytes| *bytes = whole));
}

#[test]
fn every_flipped_bit_is_named() {
    let disk = filled();
    for path in disk.paths() {
        let whole = bytes(&disk, &path);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            with_bytes(&disk, &path, bytes, || assert_named(&disk, &format!("byte {at} of {}", path.display())));
        }
    }
}

#[test]
fn every_truncation_and_every_addition_is_named() {
    let disk = filled();
    for path in disk.paths() {
        let whole = bytes(&disk, &path);
        for len in (0..whole.len()).step_by(61).chain([whole.len() - 1]) {
            let what = format!("{} cut to {len}", path.display());
            with_bytes(&disk, &path, whole[..len].to_vec(), || assert_named(&disk, &what));
        }
        let longer = [whole, vec![0; 4096]].concat();
        with_bytes(&disk, &path, longer, || assert_named(&disk, "longer"));
    }
}

#[test]
fn a_zeroed_or_swapped_block_is_named() {
    let disk = filled();
    for path in disk.paths() {
        let whole = bytes(&disk, &path);
        for block in 0..whole.len() / 4096 {
            let mut bytes = whole.clone();
            bytes[block * 4096..][..4096].fill(0);
            with_bytes(&disk, &path, bytes, || assert_named(&disk, "zeroed"));
        }
        if whole.len() >= 3 * 4096 {
            let mut bytes = whole.clone();
            let (one, two) = bytes[4096..].split_at_mut(4096);
            one.swap_with_slice(&mut two[..4096]);
            with_bytes(&disk, &path, bytes, || assert_named(&disk, "swapped"));
        }
    }
}

#[test]
fn a_missing_run_is_named_and_a_rebuild_heals() {
    let disk = filled();
    let run = disk.paths().into_iter().find(|path| path.extension().is_some_and(|e| e == "run")).unwrap();
    disk.remove(&run).unwrap();
    let error = TestIndex::open(&disk).err().unwrap().to_string();
    assert!(error.contains("is missing") && error.contains("rebuild"), "{error}");
    let options = IndexOptions { table_entries: TABLE_ENTRIES, background: false };
    let all = entries(1, IDS).into_iter().map(Ok);
    let index = Index::rebuild(Arc::new(disk.clone()), ids_dir(), manifest(&disk).unwrap(), options, all).unwrap();
    assert_eq!(index.covered_seq(), IDS);
    drop(index);
    use_all(&disk.power_cut(&mut |_| 0)).unwrap();
}

#[test]
fn a_damaged_block_stops_merging_but_not_inserting() {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    index.index.insert(&entries(1, 150)).unwrap();
    index.index.flush().unwrap();
    let path = ids_dir().join("000002.run");
    assert!(disk.corrupt(&path, |bytes| bytes[5000] ^= 1));
    index.index.insert(&entries(151, 300)).unwrap();
    while index.index.step().is_ok_and(|more| more) {}
    index.index.flush().unwrap();
    assert!(!index.index.step().unwrap(), "a merge that cannot succeed is tried again");
    let stats = index.stats();
    assert!(stats.failed.is_some_and(|failed| failed.contains("block 0")));
    assert_eq!((stats.runs, stats.entries_in_runs), (6, 300));
    assert!(index.index.health().is_ok());
    assert_eq!(index.found(&[scatter(10), scatter(290)]).len(), 2);
    let asked = index.index.look_up(&[scatter(70)], &mut Vec::new());
    assert!(matches!(asked, Err(Error::Damaged { .. })));
}

#[test]
fn a_damaged_manifest_can_be_set_aside() {
    let disk = filled();
    let path = manifest_path();
    assert!(disk.corrupt(&path, |bytes| *bytes = b"nonsense\n".to_vec()));
    let manifest = ManifestFile::set_aside(Arc::new(disk.clone()), &path).unwrap();
    assert!(!manifest.existed());
    assert_eq!(bytes(&disk, &path.with_extension("damaged")), b"nonsense\n");
}
