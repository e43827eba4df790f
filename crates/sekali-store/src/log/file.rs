//! A log file as readers see it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::block_index::{BlockIndex, BlockIndexDelta, ExtentSpan};
use super::header::{self, FileHeader};
use super::position::LogPosition;
use super::{block, frame};
use crate::background;
use crate::damage::{Damage, SeqSet};
use crate::disk::{DiskFile, unreadable};
use crate::error::{Error, Result};
use crate::event::EventRef;
use crate::invariant::invariant;
use crate::salt::Salt;

/// The ending of log files.
pub(crate) const SUFFIX: &str = ".log";
/// The ending of saved block indexes.
pub(crate) const BLOCK_INDEX_SUFFIX: &str = ".outline";
/// More topics than this are not settled by whoever closes their file: 100,000 take 40 ms, with
/// freeing what they took before.
const SETTLED_AT_ONCE_MAX: usize = 1_000;

/// A log file, open for reading. The writer grows its block index after each sync, so readers see
/// only what is durable.
#[derive(Debug)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) first_seq: u64,
    salt: Salt,
    block_index: RwLock<BlockIndex>,
    /// Where the log stands behind this file, once it is closed.
    after: OnceLock<LogPosition>,
    /// When its first event was received, once that was asked for.
    first_received_at_ns: OnceLock<i64>,
}

/// The name of the log file that begins with this seq and commit. The commit is there because
/// commits without rows, of which a file may be full, do not move the seq on.
pub(crate) fn name(first_seq: u64, first_commit: u64) -> String {
    format!("{first_seq:020}-{first_commit:020}{SUFFIX}")
}

/// The path of the saved block index of the log file at `path`.
pub(crate) fn block_index_path(path: &Path) -> PathBuf {
    path.with_extension(&BLOCK_INDEX_SUFFIX[1..])
}

impl LogFile {
    pub(crate) fn new(
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        first_seq: u64,
        salt: Salt,
        block_index: BlockIndex,
    ) -> Self {
        let (block_index, after) = (RwLock::new(block_index), OnceLock::new());
        Self { path, file, first_seq, salt, block_index, after, first_received_at_ns: OnceLock::new() }
    }

    /// Closes the file: the log goes on at `position`, in the next. Its block index shrinks to what
    /// a file needs that grows no more; where that takes long, later and elsewhere, since a commit
    /// may be waiting.
    ///
    /// # Errors
    /// [`Error::Broken`] where it was closed before.
    pub(crate) fn close(self: &Arc<Self>, position: LogPosition) -> Result<()> {
        invariant!(self.after.set(position).is_ok(), "a log file was closed twice");
        let file = Arc::clone(self);
        let is_long = self.block_index().topics.unsettled() > SETTLED_AT_ONCE_MAX;
        if !is_long || background::spawn("sekali-outline", move || file.settle()).is_err() {
            self.settle();
        }
        Ok(())
    }

    fn settle(&self) {
        let settled = self.block_index().topics.settled();
        if let Some(topics) = settled {
            // What was there is dropped without the lock.
            let _grown = std::mem::replace(&mut self.block_index_mut().topics, topics);
        }
    }

    /// Where the log stands behind this file; `None` for the one that is written to.
    pub(crate) fn after(&self) -> Option<&LogPosition> {
        self.after.get()
    }

    /// When its first event was received, as far as one can tell: nanoseconds since
    /// 1970-01-01T00:00:00Z; `None` where there is no event. Reads an extent, the first time.
    ///
    /// # Errors
    /// Those of reading. What is damaged is passed over.
    pub(crate) fn first_received_at_ns(&self) -> Result<Option<i64>> {
        if let Some(known) = self.first_received_at_ns.get() {
            return Ok(Some(*known));
        }
        let Some(span) = self.block_index().extent(0) else { return Ok(None) };
        let mut first_ns = None;
        self.read_extent(span, &SeqSet::default(), &mut Vec::new(), |_, received_at_ns, _| {
            first_ns.get_or_insert(received_at_ns);
        })?;
        Ok(first_ns.map(|first_ns| *self.first_received_at_ns.get_or_init(|| first_ns)))
    }

    pub(crate) fn block_index(&self) -> RwLockReadGuard<'_, BlockIndex> {
        self.block_index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn block_index_mut(&self) -> RwLockWriteGuard<'_, BlockIndex> {
        self.block_index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn grow(&self, delta: BlockIndexDelta<'_>) -> Result<()> {
        self.block_index_mut().grow(delta)
    }

    /// Reads an extent and hands each of its events to `visit`, but for the `hidden` ones. Blocks
    /// that cannot be read are left out and added to `found`.
    pub(crate) fn read_extent(
        &self,
        span: ExtentSpan,
        hidden: &SeqSet,
        found: &mut Vec<Damage>,
        mut visit: impl FnMut(u64, i64, EventRef<'_>),
    ) -> Result<()> {
        let bytes = self.read(span)?;
        let (mut next_seq, mut at, mut bad) = (span.first_seq, 0, None);
        while at < bytes.len() {
            let rest = &bytes[at..];
            if let Some(block) = block::decode(rest, self.salt) {
                let start = bad.take().or((block.first_seq > next_seq).then_some(at));
                found.extend(self.damage(span, start, next_seq..block.first_seq));
                let rows = block.rows().filter(|(seq, _)| !hidden.contains(*seq));
                rows.for_each(|(seq, event)| visit(seq, block.received_at_ns, event));
                next_seq = block.end_seq();
                at += block.len;
            } else if let Some(len) = frame::header_len(rest, self.salt) {
                at += len;
            } else {
                bad = bad.or(Some(at));
                at += 1;
            }
        }
        let start = bad.or((next_seq < span.end_seq).then_some(at));
        found.extend(self.damage(span, start, next_seq..span.end_seq));
        Ok(())
    }

    /// Checks what lies before the first event: the header of the file, and frames without events.
    /// Returns the header, if it is sound, and how many bytes were read.
    pub(crate) fn check_head(&self, found: &mut Vec<Damage>) -> Result<(Option<FileHeader>, u64)> {
        let end = {
            let block_index = self.block_index();
            block_index.extents.first().map_or(block_index.end, |extent| extent.offset)
        };
        let span = |offset, end| ExtentSpan { offset, end, first_seq: self.first_seq, end_seq: self.first_seq };
        let head = span(0, header::BYTES as u64);
        let header = FileHeader::decode(&self.read(head)?, self.salt);
        found.extend(self.damage(head, header.is_none().then_some(0), self.first_seq..self.first_seq));
        if end > head.end {
            self.read_extent(span(head.end, end), &SeqSet::default(), found, |_, _, _| {})?;
        }
        Ok((header, end))
    }

    fn read(&self, span: ExtentSpan) -> Result<Vec<u8>> {
        let mut bytes = vec![0; (span.end - span.offset) as usize];
        // What the medium cannot read, or what is gone from the end, reads as zeros: no block.
        unreadable::read_around(&*self.file, &self.path, &mut bytes, span.offset)?;
        Ok(bytes)
    }

    /// The damage from byte `start` of the extent on, if there is such a byte; `lost` may be empty.
    fn damage(&self, span: ExtentSpan, start: Option<usize>, lost: Range<u64>) -> Option<Damage> {
        let offset = span.offset + start? as u64;
        Some(Damage { path: self.path.clone(), offset, first_seq: lost.start, last_seq: lost.end - 1 })
    }
}

/// The first seq and the first commit that a log file's name tells.
pub(crate) fn begins(path: &Path) -> Result<(u64, u64)> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
    let numbers =
        name.and_then(|name| name.split_once('-')).filter(|(seq, commit)| seq.len() == 20 && commit.len() == 20);
    let parsed = numbers.and_then(|(seq, commit)| Some((seq.parse().ok()?, commit.parse().ok()?)));
    parsed.ok_or_else(|| Error::Damaged {
        path: path.to_owned(),
        what: "a log file is named by its first seq and commit, in 20 digits each; move it away if it is not sekali's"
            .to_owned(),
    })
}
