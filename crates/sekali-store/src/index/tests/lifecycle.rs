//! The index with its thread, on real files.

use super::*;
use crate::disk::RealDisk;

fn open(dir: &std::path::Path) -> Index {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let manifest = Arc::new(ManifestFile::open(Arc::clone(&disk), &dir.join("MANIFEST")).unwrap());
    let options = IndexOptions { table_entries: 2_000, background: true };
    Index::open(disk, dir.join("ids"), manifest, options).unwrap()
}

fn assert_finds(index: &Index, entries: &[Entry]) {
    let mut found = Vec::new();
    index.look_up(&fingerprints(entries), &mut found).unwrap();
    found.sort_unstable();
    let expected: Vec<_> = entries.iter().copied().enumerate().collect();
    assert_eq!(found, expected);
}

#[test]
fn readers_find_everything_while_tables_become_runs_and_runs_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let all = entries(1, 100_000);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let ordering = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while done.load(ordering) < all.len() {
                    let so_far = done.load(ordering);
                    assert_finds(&index, &all[so_far.saturating_sub(20_000)..so_far]);
                }
            });
        }
        for part in all.chunks(500) {
            index.insert(part).unwrap();
            done.fetch_add(part.len(), ordering);
        }
    });
    assert_finds(&index, &all);
    drop(index);
    let index = open(dir.path());
    let covered = index.covered_seq() as usize;
    assert!(covered >= 100_000 - 4 * 2_000, "{covered}");
    index.insert(&all[covered..]).unwrap();
    assert_finds(&index, &all);
    let strangers: Vec<u128> = (1_000_000..1_100_000).map(scatter).collect();
    let mut found = Vec::new();
    index.look_up(&strangers, &mut found).unwrap();
    assert_eq!(found, []);
    let stats = index.stats();
    assert!(stats.false_positives <= 1_000 + 100, "{stats:?}");
    assert!(stats.runs <= 16, "{stats:?}");
}

#[test]
fn impossible_options_are_refused() {
    let disk = MemoryDisk::new();
    let options = IndexOptions { table_entries: 0, background: false };
    let opened = Index::open(Arc::new(disk.clone()), ids_dir(), manifest(&disk).unwrap(), options);
    assert!(matches!(opened, Err(crate::Error::Invalid(_))));
}

#[test]
fn seqs_far_apart_are_kept_exactly() {
    let disk = MemoryDisk::new();
    let index = TestIndex::open(&disk).unwrap();
    let seqs = [1, 2, 1 << 31, 1 << 33, (1 << 40) - 1, 1 << 40, 1 << 50, (1 << 62) + 1];
    let all: Vec<_> = seqs.iter().map(|&seq| Entry { fingerprint: scatter(seq), seq, content: seq }).collect();
    index.index.insert(&all).unwrap();
    index.index.flush().unwrap();
    index.settle();
    assert_has(&index, &all);
    let index = index.reopen().unwrap();
    assert_has(&index, &all);
}
