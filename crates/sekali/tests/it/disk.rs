//! A disk that can be told to misbehave.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use sekali_store::disk::{Disk, DiskFile, RealDisk};

/// The real disk, with switches.
#[derive(Debug, Default)]
pub(crate) struct MoodyDisk {
    switches: Arc<Switches>,
}

#[derive(Debug, Default)]
struct Switches {
    /// The ending of the directories without space.
    full: Mutex<Option<&'static str>>,
    syncs_fail: AtomicBool,
    reads_fail: AtomicBool,
    syncs_panic: AtomicBool,
    sync_delay_ms: AtomicU64,
    held: Mutex<bool>,
    changed: Condvar,
}

impl MoodyDisk {
    /// Says that there is no space in directories whose path ends like this.
    pub(crate) fn set_full(&self, ending: Option<&'static str>) {
        *self.switches.full.lock().unwrap() = ending;
    }

    /// Lets every sync panic.
    pub(crate) fn panic_on_sync(&self) {
        self.switches.syncs_panic.store(true, Ordering::SeqCst);
    }

    /// Lets every sync fail.
    pub(crate) fn fail_syncs(&self) {
        self.switches.syncs_fail.store(true, Ordering::SeqCst);
    }

    /// Lets every sync take at least so long.
    pub(crate) fn slow_syncs(&self, delay: Duration) {
        self.switches.sync_delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Lets every read fail, or not.
    pub(crate) fn fail_reads(&self, fail: bool) {
        self.switches.reads_fail.store(fail, Ordering::SeqCst);
    }

    /// Lets syncs wait, or go on.
    pub(crate) fn hold_syncs(&self, hold: bool) {
        *self.switches.held.lock().unwrap() = hold;
        self.switches.changed.notify_all();
    }

    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(MoodyFile { file, switches: Arc::clone(&self.switches) })
    }
}

impl Disk for MoodyDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.create(path).map(|file| self.wrap(file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open(path).map(|file| self.wrap(file))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open_for_writing(path).map(|file| self.wrap(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        RealDisk.lock(path)
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let full = *self.switches.full.lock().unwrap();
        let is_full = full.is_some_and(|ending| dir.to_string_lossy().ends_with(ending));
        if is_full { Ok(0) } else { RealDisk.available_bytes(dir) }
    }
}

#[derive(Debug)]
struct MoodyFile {
    file: Arc<dyn DiskFile>,
    switches: Arc<Switches>,
}

impl DiskFile for MoodyFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if self.switches.reads_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is in a bad mood"));
        }
        self.file.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(buf, offset)
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        self.file.reserve(len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let held = self.switches.held.lock().unwrap();
        drop(self.switches.changed.wait_while(held, |held| *held).unwrap());
        std::thread::sleep(Duration::from_millis(self.switches.sync_delay_ms.load(Ordering::SeqCst)));
        assert!(!self.switches.syncs_panic.load(Ordering::SeqCst), "the disk is in a panic");
        if self.switches.syncs_fail.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is in a bad mood"));
        }
        self.file.sync()
    }
}
