//! Backups of a store that changes meanwhile, that fail, or that are cut off.

use std::any::Any;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_store::disk::{Disk, DiskFile, RealDisk};
use sekali_store::{Copied, Error, Store, StoreOptions, Verification, backup, restore};

use crate::support::{BUSY, DIR, Opened, Oracle, Random, RandomEvents as _, Sent, files};

const DEST: &str = "/backup";

/// A disk with a hook before each call, through which other threads use the disk between two calls
/// of a backup.
#[derive(Clone)]
struct Watched {
    disk: MemoryDisk,
    can_link: bool,
    before: Arc<Mutex<dyn FnMut() + Send>>,
}

impl Watched {
    fn new(disk: &MemoryDisk, can_link: bool, before: impl FnMut() + Send + 'static) -> Self {
        Self { disk: disk.clone(), can_link, before: Arc::new(Mutex::new(before)) }
    }

    fn disk(&self) -> &MemoryDisk {
        (self.before.lock().unwrap())();
        &self.disk
    }

    fn file(&self, file: io::Result<Arc<dyn DiskFile>>) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(WatchedFile { disk: self.clone(), file: file? }))
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watched")
    }
}

impl Disk for Watched {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk().create_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk().list(dir)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk().exists(path)
    }
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.file(self.disk().create(path))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.file(self.disk().open(path))
    }
    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.file(self.disk().open_for_writing(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk().rename(from, to)
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.can_link { self.disk().link(from, to) } else { Err(io::ErrorKind::CrossesDevices.into()) }
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk().remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk().sync_dir(dir)
    }
    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        panic!("a backup takes no lock")
    }
    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk().available_bytes(dir)
    }
}

#[derive(Debug)]
struct WatchedFile {
    disk: Watched,
    file: Arc<dyn DiskFile>,
}

impl DiskFile for WatchedFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.disk();
        self.file.len()
    }
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.disk();
        self.file.read_exact_at(buf, offset)
    }
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.disk.disk();
        self.file.write_all_at(buf, offset)
    }
    fn reserve(&self, len: u64) -> io::Result<()> {
        self.disk.disk();
        self.file.reserve(len)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.disk();
        self.file.set_len(len)
    }
    fn sync(&self) -> io::Result<()> {
        self.disk.disk();
        self.file.sync()
    }
}

/// A store that seals and merges all the time, and the journal of its client.
struct Live {
    disk: MemoryDisk,
    opened: Opened,
    oracle: Oracle,
    random: Random,
}

impl Live {
    fn filled(seed: u64, commits: u64) -> Self {
        let disk = MemoryDisk::new();
        let opened = Opened::open(&disk).unwrap();
        let mut live = Self { disk, opened, oracle: Oracle::default(), random: Random(seed) };
        (0..commits).for_each(|_| drop(live.commit()));
        live
    }

    fn commit(&mut self) -> Vec<Sent> {
        let events = self.random.events();
        let outcomes = self.opened.commit(&events).unwrap();
        self.oracle.told(&events, &outcomes);
        events
    }
}

/// Backs up, with `commits_at` commits before each call. Returns the number of calls.
fn back_up_while(seed: u64, can_link: bool, mut commits_at: impl FnMut(u64) -> u64 + Send + 'static) -> u64 {
    let live = Live::filled(seed, 40 + seed % 7);
    let (disk, mut oracle) = (live.disk.clone(), live.oracle.clone());
    let during = Arc::new(Mutex::new((live, Vec::new(), 0)));
    let shared = Arc::clone(&during);
    let watched = Watched::new(&disk, can_link, move || {
        let (live, sent, call) = &mut *shared.lock().unwrap();
        (0..commits_at(*call)).for_each(|_| sent.extend(live.commit()));
        *call += 1;
    });
    let copied = backup(&watched, Path::new(DIR), Path::new(DEST), |_| {}).unwrap();
    assert_eq!((&copied.missing[..], copied.linked_bytes > 0), (&[][..], can_link));

    let (live, sent, calls) = &mut *during.lock().unwrap();
    oracle.not_told(sent);
    let mut random = Random(seed);
    for image in [disk.kill(), disk.power_cut(&mut |bound| random.below(bound))] {
        let mut copy = Opened::open_at(&image, Path::new(DEST), BUSY).unwrap();
        oracle.check(&copy);
        let events = copy.reader().last_seq();
        assert_eq!(copy.partition.verify(|_| {}).unwrap(), Verification { events, ..Verification::default() });
        oracle.check_resend(&mut copy);
        (0..10).for_each(|id| drop(copy.commit(&[Sent::new("later", id, "p")]).unwrap()));
        drop(copy);
        // Failures of the copy do not affect the store.
        live.oracle.check(&Opened::open(&image.kill()).unwrap());
    }
    live.oracle.check_resend(&mut live.opened);
    *calls
}

#[test]
fn a_store_that_changes_before_any_call_is_copied_as_it_was_at_one_moment() {
    for (seed, can_link) in [(1, true), (2, false)] {
        let calls = back_up_while(seed, can_link, |_| 0);
        for (number, commits) in (0..calls).zip([1, 25, 4].into_iter().cycle()) {
            println!("seed {seed}, {commits} commits before call {number}");
            back_up_while(seed, can_link, move |call| if call == number { commits } else { 0 });
        }
    }
}

#[test]
fn a_store_that_changes_again_and_again_is_copied_as_it_was_at_one_moment() {
    for seed in 0..60 {
        println!("seed {seed}");
        let mut random = Random(seed);
        back_up_while(seed, seed % 2 == 0, move |_| if random.below(12) == 0 { random.below(5) } else { 0 });
    }
}

#[test]
fn a_store_that_never_holds_still_is_given_up_with_a_reason() {
    let live = Live::filled(1, 10);
    let (disk, mut live, mut calls) = (live.disk.clone(), live, 0);
    let watched = Watched::new(&disk, true, move || {
        calls += 1;
        if calls % 3 == 0 {
            live.opened.commit(&[Sent::new("t", calls, "x".repeat(3_000))]).unwrap();
        }
    });
    let error = backup(&watched, Path::new(DIR), Path::new(DEST), |_| {}).unwrap_err();
    let Error::Io { action: "back up", source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().ends_with("try again when less is written"), "{source}");
}

fn open_whole(disk: &MemoryDisk) -> sekali_store::Result<Store> {
    StoreOptions::new().disk(Arc::new(disk.clone())).open(Path::new(DEST))
}

#[test]
fn a_backup_that_fails_or_is_cut_off_is_never_taken_for_one() {
    let trial = Live::filled(5, 60).disk;
    let before = trial.calls();
    backup(&trial, Path::new(DIR), Path::new(DEST), |_| {}).unwrap();
    for call in before..trial.calls() {
        println!("call {call}");
        let Live { disk, oracle, .. } = Live::filled(5, 60);
        assert_eq!(disk.calls(), before);
        disk.capture_before(call);
        disk.fail_call(call, Fault::Enospc);
        let result = backup(&disk, Path::new(DIR), Path::new(DEST), |_| {});
        let check = |image: &MemoryDisk| oracle.check(&Opened::open_at(image, Path::new(DEST), BUSY).unwrap());
        match result {
            // A failed link is replaced by a copy.
            Ok(_) => check(&disk.kill()),
            // Only the last sync comes after the file that completes the copy.
            Err(_) if call + 1 == trial.calls() => {}
            Err(_) => {
                open_whole(&disk.kill()).unwrap_err();
                let is_begun = disk.exists(&Path::new(DEST).join("p0000")).unwrap();
                match backup(&disk, Path::new(DIR), Path::new(DEST), |_| {}) {
                    Err(Error::Invalid(_)) if is_begun => {}
                    Ok(_) if !is_begun => check(&disk.kill()),
                    again => panic!("{again:?}"),
                }
            }
        }
        let mut random = Random(call);
        for _ in 0..5 {
            let image = disk.captured().unwrap().power_cut(&mut |bound| random.below(bound));
            if image.exists(&Path::new(DEST).join("store.toml")).unwrap() {
                check(&image);
            } else {
                open_whole(&image).unwrap_err();
            }
        }
    }
}

#[test]
fn a_restored_store_shares_nothing_with_its_backup() {
    let Live { disk, oracle, .. } = Live::filled(7, 60);
    let linked = backup(&disk, Path::new(DIR), Path::new(DEST), |_| {}).unwrap();
    let mut seen = Copied::default();
    let copied = restore(&disk, Path::new(DEST), Path::new("/again"), |copied| seen = copied.clone()).unwrap();
    assert_eq!((copied.files, copied.copied_bytes, copied.linked_bytes), (linked.files, linked.bytes(), 0));
    assert!(seen.bytes() > 0 && linked.linked_bytes > 0);
    for ending in ["parquet", "run", "log"] {
        for path in files(&disk, ending).iter().filter(|path| path.starts_with(DEST)) {
            disk.corrupt(path, |bytes| bytes.fill(0));
        }
    }
    oracle.check(&Opened::open_at(&disk.kill(), Path::new("/again"), BUSY).unwrap());
}

#[test]
fn a_damaged_store_is_copied_as_far_as_it_goes_and_what_is_missing_is_named() {
    let disk = Live::filled(8, 60).disk.kill();
    let lost = files(&disk, "parquet").remove(0);
    disk.remove(&lost).unwrap();
    let copied = backup(&disk, Path::new(DIR), Path::new(DEST), |_| {}).unwrap();
    assert_eq!(copied.missing, std::slice::from_ref(&lost));
    let reader = Opened::open_at(&disk, Path::new(DEST), BUSY).unwrap().reader();
    let damage = reader.damage();
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!(damage[0].path.file_name(), lost.file_name());
    drop(reader);

    disk.remove(&Path::new(DIR).join("p0000/MANIFEST")).unwrap();
    let error = backup(&disk, Path::new(DIR), Path::new("/other"), |_| {}).unwrap_err();
    assert!(matches!(&error, Error::Damaged { what, .. } if what.contains("sekali verify")), "{error}");
}

#[test]
fn what_is_no_store_and_what_is_not_empty_is_refused() {
    let disk = Live::filled(9, 5).disk;
    disk.create_dir_all(Path::new("/nothing")).unwrap();
    disk.create_dir_all(Path::new("/full")).unwrap();
    disk.create(Path::new("/full/file")).unwrap();
    for (from, to, said) in [
        ("/nothing", DEST, "there is no store in /nothing"),
        (DIR, "/full", "/full is not empty; name a directory that does not exist"),
        (DIR, DIR, "/store holds a store already; name a directory that does not exist"),
    ] {
        let error = backup(&disk, Path::new(from), Path::new(to), |_| {}).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)));
        assert_eq!(error.to_string(), said);
    }
    backup(&disk, Path::new(DIR), Path::new("/nothing"), |_| {}).unwrap();
}

#[test]
fn real_files_are_linked_and_those_that_grow_are_not() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = std::env::temp_dir().join(format!("sekali-backup-{}", std::process::id()));
    let (from, to) = (dir.join("store"), dir.join("a/b"));
    let new = sekali_store::StoreMeta { store_id: 1, hash_key: sekali_store::HashKey([7; 32]), partitions: 2 };
    let store = StoreOptions::new().tuning(BUSY).create(&from, &new).unwrap();
    let hasher = store.hasher();
    let mut partitions = store.into_partitions();
    for id in 0..100 {
        let mut batch = sekali_store::Batch::new();
        batch.push(&hasher, &Sent::new("t", id, "x".repeat(300)).as_ref());
        partitions[1].commit(&[batch], 0, None).unwrap();
    }
    let copied = backup(&RealDisk, &from, &to, |_| {}).unwrap();
    assert!(copied.linked_bytes > 0 && copied.copied_bytes > 0, "{copied:?}");
    let links = |name: &str| {
        let names = RealDisk.list(&to.join("p0001").join(name)).unwrap();
        names.iter().map(|file| std::fs::metadata(to.join("p0001").join(name).join(file)).unwrap()).collect::<Vec<_>>()
    };
    assert!(links("segments").iter().all(|file| file.nlink() == 2));
    assert_eq!(links("log").last().unwrap().nlink(), 1);
    assert_eq!(std::fs::metadata(to.join("store.toml")).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&to).unwrap().mode() & 0o777, 0o700);
    for mut partition in Store::open(&to).unwrap().into_partitions() {
        assert_eq!(partition.verify(|_| {}).unwrap().findings, []);
    }
    drop(partitions);
    std::fs::remove_dir_all(dir).unwrap();
}
