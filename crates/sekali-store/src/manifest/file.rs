//! The manifest on disk and in memory, shared by all who change it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Manifest, SavedPosition};
use crate::disk::{self, Disk, unreadable};
use crate::error::{IoContext as _, Result};
use crate::invariant::invariant;

/// The manifest of one partition. Changes are made one after the other and are durable when they
/// return.
#[derive(Debug)]
pub(crate) struct ManifestFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    existed: bool,
    /// Whether there is a file by now.
    is_there: AtomicBool,
    current: Mutex<Manifest>,
    /// How far the log is durable; written down by the next update.
    durable: Mutex<Option<SavedPosition>>,
    uncertain: AtomicBool,
}

impl ManifestFile {
    /// Reads the manifest at `path`. Where there is none it is empty: nothing is covered, and
    /// everything is to be rebuilt from the log.
    ///
    /// # Errors
    /// Those of [`Manifest::decode`], and I/O errors.
    pub(crate) fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self> {
        let found = match unreadable::read_file(&*disk, path) {
            Err(error) if error.is_not_found() => None,
            read => Some(Manifest::decode(&read?, path)?),
        };
        let existed = found.is_some();
        let current = Mutex::new(found.unwrap_or_default());
        let (is_there, durable, uncertain) = (AtomicBool::new(existed), Mutex::default(), AtomicBool::new(false));
        Ok(Self { disk, path: path.to_owned(), existed, is_there, current, durable, uncertain })
    }

    /// For an operator who has decided to rebuild: keeps the damaged manifest at `path` under the
    /// name `MANIFEST.damaged` and goes on with an empty one.
    ///
    /// # Errors
    /// I/O errors.
    pub(crate) fn set_aside(disk: Arc<dyn Disk>, path: &Path) -> Result<Self> {
        disk.rename(path, &path.with_extension("damaged")).at("rename", path)?;
        disk.sync_dir(path.parent().unwrap_or(Path::new("."))).at("sync the directory of", path)?;
        Self::open(disk, path)
    }

    /// The live files now.
    pub(crate) fn get(&self) -> Manifest {
        self.lock().clone()
    }

    /// Whether the file was there when it was opened. Where it was not, files that it does not name
    /// prove nothing.
    pub(crate) fn existed(&self) -> bool {
        self.existed
    }

    /// Applies a change, together with what was noted by [`ManifestFile::note_durable`], and
    /// returns once it is durable.
    ///
    /// # Errors
    /// I/O errors. The change then counts as not made, but a crash may still bring it to light:
    /// whoever asked for it keeps both the files that the old manifest names and those that the new
    /// one would have named.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        self.replace(change, Manifest::check_losses_stay)
    }

    /// As [`ManifestFile::update`], of a change by which lost events are lost no longer.
    ///
    /// # Errors
    /// As [`ManifestFile::update`].
    pub(crate) fn take_back(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        self.replace(change, |next, current| {
            invariant!(next.lost.len() < current.lost.len(), "the manifest would take back nothing");
            Ok(())
        })
    }

    fn replace(
        &self,
        change: impl FnOnce(&mut Manifest),
        check_losses: impl FnOnce(&Manifest, &Manifest) -> Result<()>,
    ) -> Result<()> {
        let mut current = self.lock();
        let mut next = current.clone();
        change(&mut next);
        next.durable = self.noted().or(next.durable);
        next.check_follows(&current)?;
        check_losses(&next, &current)?;
        let bytes = next.encode()?;
        // Until it is renamed, the old manifest is what there is.
        disk::stage(&*self.disk, &self.path, &bytes).at("write anew", &self.path)?;
        if let Err(error) = disk::unstage(&*self.disk, &self.path) {
            self.uncertain.store(true, Ordering::Release);
            return Err(error).at("replace", &self.path);
        }
        self.is_there.store(true, Ordering::Release);
        *current = next;
        Ok(())
    }

    /// Reads the file and checks it; where it is not as it was written, writes it anew. Answers
    /// what was mended.
    ///
    /// # Errors
    /// As [`ManifestFile::update`].
    pub(crate) fn mend(&self) -> Result<Option<String>> {
        // A new partition has none until there is something to write down.
        if !self.is_there.load(Ordering::Acquire) {
            return Ok(None);
        }
        let found = unreadable::read_file(&*self.disk, &self.path);
        let Err(error) = found.and_then(|bytes| Manifest::decode(&bytes, &self.path)) else { return Ok(None) };
        self.update(|_| {})?;
        Ok(Some(error.describe()))
    }

    /// Notes, in memory, that everything before `place` has been synced.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where it lies before a place that was noted.
    pub(crate) fn note_durable(&self, place: SavedPosition) -> Result<()> {
        let mut noted = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        let is_later =
            |noted: SavedPosition| noted.next_commit <= place.next_commit && noted.next_seq <= place.next_seq;
        invariant!(noted.is_none_or(is_later), "the log is durable to an earlier place than before");
        *noted = Some(place);
        Ok(())
    }

    /// Makes what was noted durable, unless it is already.
    ///
    /// # Errors
    /// As [`ManifestFile::update`].
    pub(crate) fn mark_durable(&self) -> Result<()> {
        match self.noted() {
            noted @ Some(_) if noted != self.lock().durable => self.update(|_| {}),
            _ => Ok(()),
        }
    }

    /// The place up to which everything has been synced, once the log has a commit.
    pub(crate) fn noted(&self) -> Option<SavedPosition> {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether replacing the file has failed since it was opened. After that even an update that
    /// succeeds does not prove which manifest a crash would leave, so nothing that any of them
    /// named may be unlinked before the next open.
    pub(crate) fn uncertain(&self) -> bool {
        self.uncertain.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Manifest> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
