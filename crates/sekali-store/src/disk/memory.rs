//! Files in memory that fail as real ones do. For tests.
//!
//! Every file and directory has two images: what the process sees, and what is on the medium.
//! Between them are pending writes and pending directory changes. A sync moves them over;
//! [`MemoryDisk::power_cut`] keeps an arbitrary part of them: any subset of the writes, each
//! perhaps torn at a sector, and any subset of the directory changes. After a failed sync the
//! pending writes are gone from the medium for good although the process still sees them, as on
//! Linux: a later sync that succeeds does not bring them back. There is as much room as
//! [`MemoryDisk::set_capacity`] says.

mod gate;
mod image;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::{Disk, DiskFile};
use gate::Gate;
use image::{DirChange, DirEntry, DirImage, FileChange, FileImage, cut_dir, cut_file};

/// A file system in memory. Clones are handles to the same one.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<MemoryHandle>);

#[derive(Debug, Default)]
struct MemoryHandle {
    state: Mutex<MediumState>,
    syncs: Gate,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An I/O error; a failing write leaves nothing behind.
    Eio,
    /// No space left; a failing write leaves its first half behind.
    Enospc,
    /// A signal came in between; a failing write leaves nothing behind.
    Eintr,
    /// A write that stops after its first half; other calls fail with an I/O error.
    Short,
}

impl Fault {
    /// Every way to fail.
    pub const ALL: [Self; 4] = [Self::Eio, Self::Enospc, Self::Eintr, Self::Short];

    fn error(self) -> io::Error {
        match self {
            Self::Eio => Errno::IO.into(),
            Self::Enospc => io::ErrorKind::StorageFull.into(),
            Self::Eintr => io::ErrorKind::Interrupted.into(),
            Self::Short => io::ErrorKind::WriteZero.into(),
        }
    }

    /// How many of so many bytes a failing write leaves behind.
    fn left_of(self, len: usize) -> usize {
        match self {
            Self::Eio | Self::Eintr => 0,
            Self::Enospc | Self::Short => len / 2,
        }
    }
}

/// Chooses a number below its argument, which is at least 1.
pub type Choose<'a> = dyn FnMut(u64) -> u64 + 'a;

/// The numbers of the calls that fail, up to but not including `until`.
#[derive(Debug, Clone, Copy)]
struct Failing {
    from: u64,
    until: u64,
    fault: Fault,
}

#[derive(Debug, Clone, Default)]
struct MediumState {
    files: Vec<FileImage>,
    dirs: BTreeMap<PathBuf, DirImage>,
    calls: u64,
    failing: Option<Failing>,
    capture: Option<u64>,
    captured: Option<Box<MediumState>>,
    capacity: Option<u64>,
    locked: bool,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls that change something (a file or directory created, write, sync, rename,
    /// link, remove, directory sync) there have been.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Lets the call with this number, counted from 0, fail, and no other.
    pub fn fail_call(&self, number: u64, fault: Fault) {
        self.state().failing = Some(Failing { from: number, until: number + 1, fault });
    }

    /// Lets the call with this number fail, and every later one, until [`MemoryDisk::mend`].
    pub fn fail_from(&self, number: u64, fault: Fault) {
        self.state().failing = Some(Failing { from: number, until: u64::MAX, fault });
    }

    /// Lets no call fail any more.
    pub fn mend(&self) {
        self.state().failing = None;
    }

    /// Remembers the disk as it is just before the call with this number; [`MemoryDisk::captured`]
    /// answers it.
    pub fn capture_before(&self, number: u64) {
        self.state().capture = Some(number);
    }

    /// The disk as it was before the call that [`MemoryDisk::capture_before`] named.
    pub fn captured(&self) -> Option<Self> {
        let captured = self.state().captured.clone();
        captured.map(|state| Self::with(*state))
    }

    /// Bytes that files take up, those included that they own and do not have yet.
    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes()
    }

    /// Lets the disk have room for so many bytes, all files together; fewer than they take up now
    /// is full.
    pub fn set_capacity(&self, capacity: Option<u64>) {
        self.state().capacity = capacity;
    }

    /// Lets somebody else fill the disk to its last byte, or free it again.
    pub fn set_full(&self, full: bool) {
        let mut state = self.state();
        state.capacity = full.then(|| state.used_bytes());
    }

    /// Lets syncs of files wait, before they do anything, until this is taken back.
    pub fn hold_syncs(&self, hold: bool) {
        self.0.syncs.set_closed(hold);
    }

    /// Waits until a sync of a file waits.
    pub fn until_sync_waits(&self) {
        self.0.syncs.until_somebody_waits();
    }

    /// The disk as it is after a power cut at this moment: what was durable, and what `choose`
    /// keeps of what was pending.
    #[must_use]
    pub fn power_cut(&self, choose: &mut Choose<'_>) -> Self {
        let MediumState { files, dirs, .. } = self.state().clone();
        let files = files.into_iter().map(|file| cut_file(file, choose)).collect();
        let mut left = BTreeMap::<PathBuf, DirImage>::new();
        // A directory comes after the one it is in, and goes with its entry there.
        for (path, dir) in dirs {
            let entry = path.parent().zip(path.file_name().and_then(|name| name.to_str()));
            if entry.is_none_or(|(parent, name)| left.get(parent).is_some_and(|dir| dir.durable.contains_key(name))) {
                left.insert(path, cut_dir(dir, choose));
            }
        }
        Self::with(MediumState { files, dirs: left, ..MediumState::default() })
    }

    /// The disk as it is after the process was killed: everything it had written, and nothing of
    /// its locks.
    #[must_use]
    pub fn kill(&self) -> Self {
        let MediumState { files, dirs, capacity, .. } = self.state().clone();
        Self::with(MediumState { files, dirs, capacity, ..MediumState::default() })
    }

    /// Changes the bytes of a file, as rot does, and makes the rest of it durable. `false` where
    /// there is no such file.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.state();
        let Some(file) = state.find(path) else { return false };
        let Some(image) = state.files.get_mut(file) else { return false };
        change(&mut image.seen);
        image.pending.clear();
        image.durable.clone_from(&image.seen);
        true
    }

    /// Lets the next `times` reads of any of these bytes of a file fail with an I/O error, as a bad
    /// sector does. `false` where there is no such file.
    pub fn fail_reads(&self, path: &Path, bytes: Range<u64>, times: u64) -> bool {
        let mut state = self.state();
        let Some(file) = state.find(path) else { return false };
        state.files.get_mut(file).map(|image| image.unreadable = Some((bytes, times))).is_some()
    }

    /// All files, sorted.
    pub fn paths(&self) -> Vec<PathBuf> {
        let state = self.state();
        state.dirs.iter().flat_map(|(dir, image)| image.files().map(|name| dir.join(name))).collect()
    }

    fn with(state: MediumState) -> Self {
        Self(Arc::new(MemoryHandle { state: Mutex::new(state), syncs: Gate::default() }))
    }

    fn state(&self) -> MutexGuard<'_, MediumState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut MediumState) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        state.count(|_| {})?;
        change(&mut state)
    }
}

impl MediumState {
    /// Counts a call that changes something, and fails it if it is its turn, after `damage` has
    /// done its part.
    fn count(&mut self, damage: impl FnOnce(&mut Self)) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        if self.capture == Some(number) {
            self.captured = Some(Box::new(Self { captured: None, locked: false, ..self.clone() }));
        }
        match self.failing {
            Some(failing) if (failing.from..failing.until).contains(&number) => {
                damage(self);
                Err(failing.fault.error())
            }
            _ => Ok(()),
        }
    }

    fn dir(&mut self, path: &Path) -> io::Result<&mut DirImage> {
        if path.parent().is_none() {
            // The root is always there.
            return Ok(self.dirs.entry(path.to_owned()).or_default());
        }
        self.dirs.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn parent(&mut self, path: &Path) -> io::Result<(&mut DirImage, String)> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let dir = self.dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        Ok((dir, name))
    }

    fn find(&self, path: &Path) -> Option<usize> {
        self.dirs.get(path.parent()?)?.seen.get(path.file_name()?.to_str()?)?.file()
    }

    fn used_bytes(&self) -> u64 {
        let live: BTreeSet<usize> =
            self.dirs.values().flat_map(|dir| dir.seen.values().filter_map(|entry| entry.file())).collect();
        live.into_iter().filter_map(|file| self.files.get(file)).map(|file| file.used_bytes() as u64).sum()
    }

    /// How many bytes may be added to what files take up.
    fn free_bytes(&self) -> u64 {
        self.capacity.map_or(u64::MAX / 2, |capacity| capacity.saturating_sub(self.used_bytes()))
    }

    fn apply(&mut self, dir: &Path, change: DirChange) -> io::Result<()> {
        self.dir(dir)?.change(change);
        Ok(())
    }
}

impl Disk for MemoryDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if self.exists(dir)? {
            return Ok(());
        }
        self.change(|state| {
            let (parent, name) = state.parent(dir)?;
            parent.change(DirChange::Link(name, DirEntry::Dir));
            state.dirs.insert(dir.to_owned(), DirImage::default());
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.state().dir(dir)?.files().cloned().collect())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let state = self.state();
        Ok(state.find(path).is_some() || state.dirs.contains_key(path) || path.parent().is_none())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let number = self.change(|state| {
            let file = state.files.len();
            let (dir, name) = state.parent(path)?;
            if dir.seen.contains_key(&name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            dir.change(DirChange::Link(name, DirEntry::File(file)));
            state.files.push(FileImage::default());
            Ok(file)
        })?;
        Ok(Arc::new(MemoryFile { disk: self.clone(), number }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let number = self.state().find(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(MemoryFile { disk: self.clone(), number }))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state| {
            let file = state.find(from).ok_or(io::ErrorKind::NotFound)?;
            let (_, from_name) = state.parent(from)?;
            let (_, to_name) = state.parent(to)?;
            let (from_dir, to_dir) = (from.parent().unwrap_or(from), to.parent().unwrap_or(to));
            if from_dir == to_dir {
                return state.apply(to_dir, DirChange::Rename(from_name, to_name));
            }
            // Two directories, each of which may reach the medium without the other.
            state.apply(to_dir, DirChange::Link(to_name, DirEntry::File(file)))?;
            state.apply(from_dir, DirChange::Unlink(from_name))
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state| {
            let file = state.find(from).ok_or(io::ErrorKind::NotFound)?;
            let (dir, name) = state.parent(to)?;
            if dir.seen.contains_key(&name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.apply(to.parent().unwrap_or(to), DirChange::Link(name, DirEntry::File(file)))
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|state| {
            let (dir, name) = state.parent(path)?;
            if !dir.seen.contains_key(&name) {
                return Err(io::ErrorKind::NotFound.into());
            }
            state.apply(path.parent().unwrap_or(path), DirChange::Unlink(name))
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(|state| {
            let dir = state.dir(dir)?;
            dir.durable = dir.seen.clone();
            dir.pending.clear();
            Ok(())
        })
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut state = self.state();
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock(self.clone())))
    }

    fn available_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.state().free_bytes())
    }
}

struct Lock(MemoryDisk);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

#[derive(Debug)]
struct MemoryFile {
    disk: MemoryDisk,
    number: usize,
}

impl MemoryFile {
    fn image<T>(&self, state: &mut MediumState, act: impl FnOnce(&mut FileImage) -> T) -> io::Result<T> {
        state.files.get_mut(self.number).map(act).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&self, state: &mut MediumState, change: FileChange) -> io::Result<()> {
        self.image(state, |image| {
            change.apply(&mut image.seen);
            image.pending.push(change);
        })
    }

    /// How long the file can become, or be while it owns the rest.
    fn room(&self, state: &mut MediumState) -> io::Result<usize> {
        let free = usize::try_from(state.free_bytes()).unwrap_or(usize::MAX);
        self.image(state, |image| image.used_bytes().saturating_add(free))
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.image(&mut self.disk.state(), |image| image.seen.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let mut state = self.disk.state();
        self.image(&mut state, |image| {
            image.pass_sectors(offset..offset.saturating_add(buf.len() as u64))?;
            let end = start.checked_add(buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buf.copy_from_slice(image.seen.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })?
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut state = self.disk.state();
        let put = |state: &mut MediumState, bytes: &[u8]| self.change(state, FileChange::Write(offset, bytes.to_vec()));
        let left = state.failing.map_or(0, |failing| failing.fault.left_of(buf.len()));
        state.count(|state| drop(put(state, buf.get(..left).unwrap_or_default())))?;
        let room = self.room(&mut state)?;
        let fitting = room.saturating_sub(offset).min(buf.len());
        put(&mut state, buf.get(..fitting).unwrap_or_default())?;
        if fitting < buf.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn reserve(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut state = self.disk.state();
        state.count(|_| {})?;
        if self.room(&mut state)? < len {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.image(&mut state, |image| image.reserved = image.reserved.max(len))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut state = self.disk.state();
        state.count(|_| {})?;
        self.change(&mut state, FileChange::SetLen(len))?;
        self.image(&mut state, |image| image.reserved = image.reserved.min(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.0.syncs.pass();
        let mut state = self.disk.state();
        // What a failed sync was to write is dropped from memory's duty without having reached the
        // medium.
        state.count(|state| drop(self.image(state, |image| image.pending.clear())))?;
        self.image(&mut state, |image| {
            for change in std::mem::take(&mut image.pending) {
                change.apply(&mut image.durable);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_takes_what_fits_and_whatever_a_file_owns() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/d"));
        disk.create_dir_all(dir).unwrap();
        let [owner, other] = ["owner", "other"].map(|name| disk.create(&dir.join(name)).unwrap());
        owner.write_all_at(b"1234", 0).unwrap();
        owner.reserve(10).unwrap();
        disk.set_capacity(Some(13));
        assert_eq!((disk.used_bytes(), owner.len().unwrap(), disk.available_bytes(dir).unwrap()), (10, 4, 3));
        let full = |outcome: io::Result<()>| crate::error::is_full(&outcome.unwrap_err());
        assert!(full(other.write_all_at(b"12345", 0)));
        assert_eq!(other.len().unwrap(), 3, "what fitted was written");
        owner.write_all_at(b"567890", 4).unwrap();
        assert!(full(owner.reserve(11)) && full(other.reserve(4)));
        owner.set_len(2).unwrap();
        assert_eq!(disk.used_bytes(), 5);
        other.reserve(11).unwrap();
    }

    #[test]
    fn a_power_cut_takes_a_directory_whose_name_was_not_synced() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/d/e"));
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.create_dir(dir).unwrap();
        disk.create(&dir.join("file")).unwrap();
        disk.sync_dir(dir).unwrap();
        let left = |disk: &MemoryDisk| disk.power_cut(&mut |_| 0).exists(&dir.join("file")).unwrap();
        assert!(!left(&disk));
        disk.sync_dir(Path::new("/d")).unwrap();
        assert!(left(&disk));
    }

    #[test]
    fn a_power_cut_keeps_what_was_synced_and_a_failed_sync_keeps_nothing() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/d"));
        disk.create_dir_all(dir).unwrap();
        let path = dir.join("file");
        let file = disk.create(&path).unwrap();
        assert!(!disk.power_cut(&mut |_| 0).exists(&path).unwrap());
        file.write_all_at(b"synced", 0).unwrap();
        file.sync().unwrap();
        disk.sync_dir(dir).unwrap();
        file.write_all_at(b"doomed", 6).unwrap();
        disk.fail_call(disk.calls(), Fault::Eio);
        file.sync().unwrap_err();
        file.sync().unwrap();
        assert_eq!(super::super::read_all(&disk, &path).unwrap(), b"synceddoomed");
        assert_eq!(super::super::read_all(&disk.power_cut(&mut |_| 1), &path).unwrap(), b"synced");
    }
}
