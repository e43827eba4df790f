//! The directory of a partition's log, and the files that are made in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block_index::BlockIndex;
use super::file::{self, LogFile};
use super::header::{self, FileHeader};
use super::position::LogPosition;
use crate::disk::remover::Remover;
use crate::disk::{self, Disk, DiskFile};
use crate::error::{IoContext, Result};
use crate::salt::Salt;

/// Which log this is.
#[derive(Debug, Clone)]
pub(crate) struct LogDir {
    pub(crate) disk: Arc<dyn Disk>,
    /// The directory of the log files.
    pub(crate) dir: PathBuf,
    /// Where torn tails are kept for inspection.
    pub(crate) torn_dir: PathBuf,
    pub(crate) store_id: u128,
    pub(crate) partition: u32,
    pub(crate) salt: Salt,
    /// A file is closed at the first commit that finds it this long.
    pub(crate) file_bytes: u64,
}

impl LogDir {
    /// The header of a file that goes on from `position`.
    pub(crate) fn header(&self, position: &LogPosition) -> FileHeader {
        FileHeader {
            partition: self.partition,
            store_id: self.store_id,
            first_seq: position.next_seq,
            first_commit: position.next_commit,
            previous: position.previous,
        }
    }

    /// Where the log file is that begins at `position`.
    pub(crate) fn path(&self, position: &LogPosition) -> PathBuf {
        self.dir.join(file::name(position.next_seq, position.next_commit))
    }

    /// Begins a log file behind `position`, with some room. It is durable, directory entry
    /// included, when this returns.
    ///
    /// # Errors
    /// [`Error::StorageFull`](crate::Error::StorageFull), and then there is no such file; I/O
    /// errors.
    pub(crate) fn create(&self, position: &LogPosition) -> Result<(Arc<LogFile>, FileHeader)> {
        let header = self.header(position);
        let path = self.path(position);
        // What may be there already was made by an attempt for which there was no space.
        let created = disk::create_afresh(&*self.disk, &path);
        let file = self.unless_full(created, header::BYTES as u64)?.at("create", &path)?;
        let owned = self.ahead_of(header::BYTES as u64);
        self.reserve(&*file, &path, owned).inspect_err(|_| drop(self.disk.remove(&path)))?;
        file.write_all_at(&header.encode(self.salt), 0).at("write", &path)?;
        file.sync().at("sync", &path)?;
        self.disk.sync_dir(&self.dir).at("sync", &self.dir)?;
        let block_index = BlockIndex { end: header::BYTES as u64, end_seq: position.next_seq, ..BlockIndex::default() };
        Ok((Arc::new(LogFile::new(path, file, position.next_seq, self.salt, block_index)), header))
    }

    /// Takes a sealed file, and its block index, out of the log, with `remover`. A damaged one is
    /// moved away: nothing is deleted because reading it failed. What cannot be done now is done at
    /// the next start.
    pub(crate) fn retire(&self, path: &Path, is_damaged: bool, remover: &Remover) -> Result<()> {
        let block_index = file::block_index_path(path);
        if self.disk.exists(&block_index).at("look for", &block_index)? {
            self.disk.remove(&block_index).at("remove", &block_index)?;
        }
        if !is_damaged {
            return remover.remove(&*self.disk, path).at("remove", path);
        }
        let dir = self.torn_dir.with_file_name("quarantine");
        self.disk.create_dir_all(&dir).at("create", &dir)?;
        self.disk.rename(path, &dir.join(path.file_name().unwrap_or_default())).at("move away", path)?;
        self.disk.sync_dir(&dir).at("sync", &dir)?;
        self.disk.sync_dir(&self.dir).at("sync", &self.dir)
    }

    /// Saves the block index of the closed file at `path`. It is a cache: if it cannot be written,
    /// the next start reads the file instead.
    pub(crate) fn save_block_index(
        &self,
        path: &Path,
        block_index: &BlockIndex,
        header: &FileHeader,
        after: &LogPosition,
    ) {
        let path = file::block_index_path(path);
        let temp = disk::temp_path(&path);
        let bytes = block_index.encode(header, after, self.salt);
        let written = disk::create_afresh(&*self.disk, &temp).and_then(|file| file.write_all_at(&bytes, 0));
        let named = written.and_then(|()| self.disk.rename(&temp, &path));
        let _ = named.or_else(|_| self.disk.remove(&temp));
    }

    /// Checks the saved block index of the closed `file`, if there is one, and saves it anew where
    /// it is damaged. `true` if it was.
    pub(crate) fn mend_block_index(&self, file: &LogFile, header: &FileHeader, after: &LogPosition) -> bool {
        let Ok(saved) = disk::read_all(&*self.disk, &file::block_index_path(&file.path)) else { return false };
        let is_damaged = BlockIndex::decode(&saved, header, self.salt).is_none();
        if is_damaged {
            self.save_block_index(&file.path, &file.block_index(), header, after);
        }
        is_damaged
    }

    /// The saved block index of the file at `path`, if it is there, whole, and continues the log at
    /// `position`; with the position behind it.
    pub(crate) fn saved_block_index(
        &self,
        path: &Path,
        file: &dyn DiskFile,
        position: &LogPosition,
    ) -> Option<(BlockIndex, LogPosition)> {
        let mut bytes = [0; header::BYTES];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let header = FileHeader::decode(&bytes, self.salt)?;
        let continues = (header.first_seq, header.first_commit, header.previous)
            == (position.next_seq, position.next_commit, position.previous);
        let saved = disk::read_all(&*self.disk, &file::block_index_path(path)).ok().filter(|_| continues)?;
        let (block_index, after) = BlockIndex::decode(&saved, &header, self.salt)?;
        (file.len().ok()? == block_index.end).then_some((block_index, after))
    }
}
