//! The writing end of a partition's log.

use std::sync::Arc;

use super::dir::LogDir;
use super::file::LogFile;
use super::frame::{self, FrameBuilder, FrameHeader};
use super::header::FileHeader;
use super::position::LogPosition;
use super::reservation::Reservation;
use crate::counters::Counters;
use crate::error::{Error, IoContext, Result};
use crate::invariant::invariant;
use crate::tally::Tally;

/// Appends frames to the last file of a log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    log: LogDir,
    active: Arc<LogFile>,
    header: FileHeader,
    position: LogPosition,
    room: Reservation,
}

impl LogWriter {
    /// A writer that goes on at `position`, the end of `active`.
    pub(crate) fn new(log: LogDir, active: Arc<LogFile>, header: FileHeader, position: LogPosition) -> Self {
        let mut writer = Self { log, active, header, position, room: Reservation::default() };
        // Without space for more than what is there, the next commit tries again, and is refused.
        let _ = writer.reserve_room(0);
        writer
    }

    /// Where the log stands.
    pub(crate) fn position(&self) -> &LogPosition {
        &self.position
    }

    /// Takes the space that a frame of so many bytes needs. To be called before it is appended.
    ///
    /// # Errors
    /// [`Error::StorageFull`], and I/O errors. Nothing was written.
    pub(crate) fn reserve_room(&mut self, frame_bytes: u64) -> Result<()> {
        let end = self.active.block_index().end + frame_bytes;
        self.room.take(&self.log, &self.active, end)
    }

    /// Begins a new file if the last one is full, and answers it then. Only ever called between
    /// commits, so the file left behind is durable to its end.
    ///
    /// # Errors
    /// [`Error::StorageFull`]: nothing has changed. I/O errors: the log must be opened again before
    /// the next append.
    pub(crate) fn rotate_if_full(&mut self) -> Result<Option<Arc<LogFile>>> {
        if self.active.block_index().end < self.log.file_bytes {
            return Ok(None);
        }
        self.rotate().map(Some)
    }

    /// Begins a new file, unless the last one has no events, and answers it then: the one left
    /// behind can be sealed. As [`LogWriter::rotate_if_full`].
    ///
    /// # Errors
    /// As [`LogWriter::rotate_if_full`].
    pub(crate) fn rotate_if_filled(&mut self) -> Result<Option<Arc<LogFile>>> {
        invariant!(self.position.next_seq >= self.active.first_seq, "the log stands before its last file");
        if self.position.next_seq == self.active.first_seq {
            return Ok(None);
        }
        self.rotate().map(Some)
    }

    /// Lets files become so long, in bytes, from now on.
    pub(crate) fn set_file_bytes(&mut self, bytes: u64) {
        self.log.file_bytes = bytes;
    }

    fn rotate(&mut self) -> Result<Arc<LogFile>> {
        invariant!(self.active.after().is_none(), "a log file that was closed is closed again");
        let (file, header) = self.log.create(&self.position)?;
        let closed = std::mem::replace(&mut self.active, Arc::clone(&file));
        closed.close(self.position)?;
        self.log.save_block_index(&closed.path, &closed.block_index(), &self.header, &self.position);
        self.header = header;
        self.room.in_new_file(&self.log);
        Ok(file)
    }

    /// Completes the frame in `builder` as the next of this log.
    pub(crate) fn complete(&self, builder: &mut FrameBuilder, upstream: Option<u64>, counts: Counters) {
        let position = &self.position;
        builder.finish(&FrameHeader {
            commit: position.next_commit,
            durable_commit: position.durable_commit,
            first_seq: builder.first_seq(),
            received_at_ns: builder.received_at_ns(),
            upstream,
            counts,
            totals: position.totals + counts,
            previous: position.previous,
        });
    }

    /// Writes and syncs a complete frame, then shows it to readers. Answers what it adds to each
    /// topic.
    ///
    /// # Errors
    /// After an error it is unknown what of the frame is on disk: the log must be opened again
    /// before the next append.
    pub(crate) fn append<'a>(&mut self, bytes: &'a [u8]) -> Result<Vec<(&'a str, Tally)>> {
        // Decoding what was built is the second half of a pair of assertions, and gives the block
        // index its growth.
        let frame = frame::decode(bytes, self.log.salt).filter(|frame| self.position.continued_by(frame));
        let frame = frame.ok_or_else(|| Error::Damaged {
            path: self.active.path.clone(),
            what: format!(
                "commit {} does not read back as it was built; nothing was written",
                self.position.next_commit
            ),
        })?;
        invariant!(
            frame.header.totals == self.position.totals + frame.header.counts,
            "the totals of a frame do not continue those of the one before"
        );
        invariant!(frame.header.durable_commit < frame.header.commit, "a frame says that it is durable");
        let offset = self.active.block_index().end;
        let blocks = frame.blocks().map(|(at, block)| (offset + at as u64, block));
        let delta = self.active.block_index().delta(blocks, offset + frame.len as u64, frame.end_seq());
        self.active.file.write_all_at(bytes, offset).at("write", &self.active.path)?;
        self.active.file.sync().at("sync", &self.active.path)?;
        self.position.pass(&frame);
        self.position.durable_commit = frame.header.commit;
        let topics = delta.topics.iter().map(|(topic, share)| (*topic, share.tally)).collect();
        self.active.grow(delta)?;
        Ok(topics)
    }
}
