//! A disk that fails on demand.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use sekali_store::disk::{Disk as _, DiskFile, RealDisk};

use sekali_testkit::{Tamper, TamperedDisk};

/// The real disk, with switches.
pub(crate) type MoodyDisk = TamperedDisk<Switches>;

/// The switches of a disk.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    /// The end of the path of directories without space.
    full: Mutex<Option<&'static str>>,
    syncs_fail: AtomicBool,
    reads_fail: AtomicBool,
    reads_panic: AtomicBool,
    syncs_panic: AtomicBool,
    sync_delay_ms: AtomicU64,
    held: Mutex<bool>,
    changed: Condvar,
}

impl Switches {
    /// Reports no space in directories whose path ends with this.
    pub(crate) fn set_full(&self, ending: Option<&'static str>) {
        *self.full.lock().unwrap() = ending;
    }

    /// Makes every sync panic.
    pub(crate) fn panic_on_sync(&self) {
        self.syncs_panic.store(true, Ordering::SeqCst);
    }

    /// Makes every sync fail.
    pub(crate) fn fail_syncs(&self) {
        self.syncs_fail.store(true, Ordering::SeqCst);
    }

    /// Makes every sync take at least this long.
    pub(crate) fn slow_syncs(&self, delay: Duration) {
        self.sync_delay_ms.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Makes every read fail, or no longer.
    pub(crate) fn fail_reads(&self, fail: bool) {
        self.reads_fail.store(fail, Ordering::SeqCst);
    }

    /// Makes every read panic, or no longer.
    pub(crate) fn panic_reads(&self, panic: bool) {
        self.reads_panic.store(panic, Ordering::SeqCst);
    }

    /// Makes syncs wait, or lets them continue.
    pub(crate) fn hold_syncs(&self, hold: bool) {
        *self.held.lock().unwrap() = hold;
        self.changed.notify_all();
    }
}

impl Tamper for Switches {
    fn before_read(&self) -> io::Result<()> {
        assert!(!self.reads_panic.load(Ordering::SeqCst), "the disk is in a panic");
        if self.reads_fail.load(Ordering::SeqCst) { Err(bad_mood()) } else { Ok(()) }
    }

    fn sync(&self, file: &dyn DiskFile) -> io::Result<()> {
        let held = self.held.lock().unwrap();
        drop(self.changed.wait_while(held, |held| *held).unwrap());
        std::thread::sleep(Duration::from_millis(self.sync_delay_ms.load(Ordering::SeqCst)));
        assert!(!self.syncs_panic.load(Ordering::SeqCst), "the disk is in a panic");
        if self.syncs_fail.load(Ordering::SeqCst) { Err(bad_mood()) } else { file.sync() }
    }

    fn available_bytes(&self, dir: &Path) -> io::Result<u64> {
        let full = *self.full.lock().unwrap();
        let is_full = full.is_some_and(|ending| dir.to_string_lossy().ends_with(ending));
        if is_full { Ok(0) } else { RealDisk.available_bytes(dir) }
    }
}

fn bad_mood() -> io::Error {
    io::Error::other("the disk is in a bad mood")
}
