//! A disk in memory that remembers what would survive a crash, and fails when told to.
//!
//! Files have a content and a durable content, directories have names and durable names. A crash keeps what is durable
//! and whatever else a test chooses, so that every order in which a file system may write is tried.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::disk::{Disk, DiskFile};

#[derive(Debug, Default)]
pub(super) struct MemDisk(Arc<Mutex<MemDiskState>>);

#[derive(Debug, Default)]
struct MemDiskState {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Calls that change something, since the last [`MemDisk::fail`].
    calls: u64,
    failing: Option<Failing>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

/// When calls that change something fail.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failing {
    /// Only the call of this number, from 0.
    Once(u64),
    /// That one and all after it, as if the machine stopped there.
    From(u64),
}

/// What a crash does not lose although it was not synced: a file system may write things in any order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    pub(super) bytes: bool,
    /// Names in the directory of the runs.
    pub(super) run_names: bool,
    /// Names in other directories.
    pub(super) other_names: bool,
}

impl Kept {
    pub(super) fn all_cases() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self { bytes: bits & 1 != 0, run_names: bits & 2 != 0, other_names: bits & 4 != 0 })
    }
}

impl MemDisk {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Begins to count calls, and lets some fail.
    pub(super) fn fail(&self, failing: Option<Failing>) {
        let mut inner = self.lock();
        inner.calls = 0;
        inner.failing = failing;
    }

    /// Calls counted since then.
    pub(super) fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Loses everything that is not durable but for what is to be kept; calls work again.
    pub(super) fn crash(&self, kept: Kept) {
        let mut inner = self.lock();
        inner.failing = None;
        let current = mem::take(&mut inner.names);
        let survives = |path: &Path| {
            let is_run = path.parent().is_some_and(|dir| dir.ends_with("ids"));
            if is_run { kept.run_names } else { kept.other_names }
        };
        let (new, old) = (current.into_iter(), mem::take(&mut inner.durable_names).into_iter());
        inner.names = new.filter(|(path, _)| survives(path)).chain(old.filter(|(path, _)| !survives(path))).collect();
        inner.durable_names = inner.names.clone();
        for file in &mut inner.files {
            if kept.bytes {
                file.durable = file.bytes.clone();
            } else {
                file.bytes = file.durable.clone();
            }
        }
    }

    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.lock().names.keys().cloned().collect()
    }

    pub(super) fn bytes(&self, path: &Path) -> Vec<u8> {
        let inner = self.lock();
        inner.files[inner.names[path]].bytes.clone()
    }

    pub(super) fn set_bytes(&self, path: &Path, bytes: Vec<u8>) {
        let mut inner = self.lock();
        let id = inner.names[path];
        inner.files[id] = File { durable: bytes.clone(), bytes };
    }

    fn lock(&self) -> MutexGuard<'_, MemDiskState> {
        self.0.lock().unwrap()
    }
}

impl MemDiskState {
    fn change(&mut self) -> io::Result<()> {
        let call = self.calls;
        self.calls += 1;
        match self.failing {
            Some(Failing::Once(at)) if call == at => Err(io::Error::other("told to fail")),
            Some(Failing::From(at)) if call >= at => Err(io::Error::other("told to stop")),
            _ => Ok(()),
        }
    }

    fn id(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemDisk {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let inner = self.lock();
        let here = inner.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.lock().names.contains_key(path))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.lock();
        inner.change()?;
        if inner.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = inner.files.len();
        inner.files.push(File::default());
        inner.names.insert(path.to_owned(), id);
        Ok(Arc::new(MemFile { disk: self.0.clone(), id }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let id = self.lock().id(path)?;
        Ok(Arc::new(MemFile { disk: self.0.clone(), id }))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.change()?;
        let id = inner.id(from)?;
        inner.names.remove(from);
        inner.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.change()?;
        inner.id(path)?;
        inner.names.remove(path);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.change()?;
        let current: Vec<_> = inner
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir))
            .map(|(path, id)| (path.clone(), *id))
            .collect();
        inner.durable_names.retain(|path, _| path.parent() != Some(dir));
        inner.durable_names.extend(current);
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        Ok(Box::new(()))
    }

    fn available_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

#[derive(Debug)]
struct MemFile {
    disk: Arc<Mutex<MemDiskState>>,
    id: usize,
}

impl DiskFile for MemFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().unwrap().files[self.id].bytes.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let inner = self.disk.lock().unwrap();
        let from = usize::try_from(offset).unwrap();
        let bytes = inner.files[self.id].bytes.get(from..from + buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(bytes);
        Ok(())
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut inner = self.disk.lock().unwrap();
        inner.change()?;
        let bytes = &mut inner.files[self.id].bytes;
        let from = usize::try_from(offset).unwrap();
        bytes.resize(bytes.len().max(from + buf.len()), 0);
        bytes[from..from + buf.len()].copy_from_slice(buf);
        Ok(())
    }

    fn reserve(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.disk.lock().unwrap();
        inner.change()?;
        inner.files[self.id].bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.lock().unwrap();
        inner.change()?;
        let file = &mut inner.files[self.id];
        file.durable = file.bytes.clone();
        Ok(())
    }
}
