//! Writes a segment from events.

use super::dir::{PartRules, SegmentDir};
use super::file::SegmentFile;
use super::info::SegmentInfo;
use super::rows::RowBuffer;
use crate::error::{Error, Result};
use crate::event::EventRef;

/// Writes a segment, event by event. Holds one row group in memory. Nothing exists under a
/// segment's name unless it is whole and durable; a writer that is dropped leaves nothing behind.
pub(crate) struct SegmentWriter {
    dir: SegmentDir,
    file: Option<SegmentFile>,
    rows: RowBuffer,
    last_seq: u64,
}

impl SegmentWriter {
    /// A writer of one segment of `dir`. No file is made before there is an event.
    pub(crate) fn new(dir: &SegmentDir) -> Self {
        Self { dir: dir.clone(), file: None, rows: RowBuffer::default(), last_seq: 0 }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// `Invalid` where `seq` is not above that of the event before; `Io` where a row group cannot
    /// be written. The writer is of no use then.
    pub(crate) fn push(&mut self, seq: u64, received_at_ns: i64, event: &EventRef<'_>) -> Result<()> {
        if seq <= self.last_seq || i64::try_from(seq).is_err() {
            return Err(Error::Invalid(format!("seq {seq} cannot follow seq {} in a segment", self.last_seq)));
        }
        self.last_seq = seq;
        self.rows.push(seq, received_at_ns, event);
        if self.rows.is_full(&self.dir.shape) { self.flush() } else { Ok(()) }
    }

    /// Completes the segment. It is durable when this returns. `None` where there were no events.
    pub(crate) fn finish(mut self) -> Result<Option<SegmentInfo>> {
        self.flush()?;
        let Some(file) = self.file.take() else { return Ok(None) };
        file.finish().map(Some)
    }

    /// Writes the rows that wait as a row group.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let Some((first_seq, _)) = self.rows.seqs() else { return Ok(()) };
        file_of(&mut self.file, &self.dir, first_seq)?.write_group(&mut self.rows)
    }

    /// How parts of row groups are made, if they are to get any.
    pub(super) fn parts(&self) -> Option<PartRules> {
        self.dir.parts
    }

    /// The file, to copy a row group into that begins with `first_seq` and ends with `last_seq`.
    pub(super) fn file(&mut self, first_seq: u64, last_seq: u64) -> Result<&mut SegmentFile> {
        self.flush()?;
        if first_seq <= self.last_seq {
            return Err(Error::Invalid(format!("seq {first_seq} cannot follow seq {} in a segment", self.last_seq)));
        }
        self.last_seq = last_seq;
        file_of(&mut self.file, &self.dir, first_seq)
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            file.abandon();
        }
    }
}

fn file_of<'a>(file: &'a mut Option<SegmentFile>, dir: &SegmentDir, first_seq: u64) -> Result<&'a mut SegmentFile> {
    Ok(match file {
        Some(file) => file,
        None => file.insert(SegmentFile::create(dir, first_seq)?),
    })
}
