//! A row group as a part of a file: its bytes, its index, and what is said where they are damaged.

use std::path::Path;
use std::sync::OnceLock;

use parquet::schema::types::SchemaDescriptor;

use super::blocks::TopicBlocks;
use super::directory::RowGroup;
use super::index::GroupIndex;
use super::table::TopicTable;
use crate::disk::{DiskFile, unreadable};
use crate::error::{Error, Result};
use crate::salt::Salt;

/// A row group in its file, and all that reading it takes.
#[derive(Clone, Copy)]
pub(super) struct GroupSource<'a> {
    pub(super) file: &'a dyn DiskFile,
    pub(super) path: &'a Path,
    pub(super) salt: Salt,
    pub(super) schema: &'a SchemaDescriptor,
    pub(super) number: usize,
    pub(super) entry: &'a RowGroup,
    /// Where its index is kept once it was read.
    pub(super) map: &'a OnceLock<GroupMap>,
    /// Damage of its parts, once that was found.
    pub(super) flaw: &'a OnceLock<String>,
}

/// The index of a row group with all its topics, as it is in the file now.
pub(super) struct WholeIndex {
    pub(super) index: GroupIndex,
    pub(super) topics: TopicTable,
    pub(super) bytes: Vec<u8>,
}

/// The part of a verified index that stays in memory: some 15 KB for 128 Ki rows, and 50 bytes for
/// each 8 KiB of topics.
#[derive(Debug)]
pub(super) struct GroupMap {
    pub(super) index: GroupIndex,
    pub(super) topics: TopicBlocks,
}

/// Says what damage of parts means.
pub(super) fn flaw(what: &str) -> String {
    format!("{what}, beside the events, which are safe: queries of them take longer until segments are merged")
}

impl WholeIndex {
    fn map(self, salt: Salt) -> GroupMap {
        let offset = GroupIndex::topics_offset(self.bytes.len(), &self.topics);
        let topics = TopicBlocks::new(&self.topics, offset, salt);
        GroupMap { index: self.index, topics }
    }
}

impl<'a> GroupSource<'a> {
    /// The map of its index, which the first call reads.
    pub(super) fn map(&self) -> Result<&'a GroupMap> {
        match self.map.get() {
            Some(map) => Ok(map),
            None => {
                let map = self.read_index()?.map(self.salt);
                Ok(self.map.get_or_init(|| map))
            }
        }
    }

    /// Reads and verifies its index.
    pub(super) fn read_index(&self) -> Result<WholeIndex> {
        let bytes = self.read_at(self.entry.index_offset(), self.entry.index_len as usize)?;
        let decoded = GroupIndex::decode(&bytes, self.salt);
        let decoded =
            decoded.filter(|(index, _)| (u64::from(index.rows), index.len) == (self.entry.rows, self.entry.len));
        let (index, topics) =
            decoded.ok_or_else(|| self.damaged("its index fails its checksum", self.entry.index_offset()))?;
        Ok(WholeIndex { index, topics, bytes })
    }

    pub(super) fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        match unreadable::read_at(self.file, self.path, &mut bytes, offset) {
            Err(Error::Damaged { what, .. }) => Err(self.damaged(what, offset)),
            read => read.map(|()| bytes),
        }
    }

    /// Hands out what `read` finds in its parts. Where they are damaged, that is nothing, which
    /// costs no event: they say nothing that the columns do not say.
    pub(super) fn read_parts<T>(&self, read: impl FnOnce() -> Result<Option<T>>) -> Result<Option<T>> {
        if self.flaw.get().is_some() {
            return Ok(None);
        }
        match read() {
            Err(Error::Damaged { what, .. }) => {
                self.flaw.get_or_init(|| flaw(&what));
                Ok(None)
            }
            read => read,
        }
    }

    /// Damage in this row group.
    pub(super) fn damaged(&self, what: impl std::fmt::Display, offset: u64) -> Error {
        let RowGroup { first_seq, last_seq, .. } = self.entry;
        let what = format!("row group {} (seq {first_seq} to {last_seq}), at byte {offset}: {what}", self.number);
        Error::Damaged { path: self.path.to_owned(), what }
    }
}
