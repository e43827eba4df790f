//! The live files of a partition, for the steps that change them.
//!
//! Each step has the order of every change of live files: write the new file and sync it, name it
//! in the manifest, show it to readers, and only then remove what it replaces.

use std::sync::Arc;

use crate::disk::remover::Remover;
use crate::error::{IoContext, Result};
use crate::log::dir::LogDir;
use crate::log::file::LogFile;
use crate::manifest::SegmentEntry;
use crate::partition::data_file::DataFile;
use crate::partition::shared::Shared;
use crate::retention::TopicPattern;
use crate::segment::{self, Segment, SegmentDir, SegmentInfo};

/// The directories of a partition, and what readers see of them.
#[derive(Debug)]
pub(super) struct LiveFiles {
    pub(super) shared: Arc<Shared>,
    pub(super) log: LogDir,
    pub(super) segments: SegmentDir,
    pub(super) remover: Remover,
}

impl LiveFiles {
    /// Closed log files that wait to be sealed.
    pub(super) fn backlog(&self) -> usize {
        let files = self.shared.snapshot().files;
        files.iter().filter(|file| matches!(file, DataFile::Log(_))).count().saturating_sub(1)
    }

    /// The log files, in order of seq.
    pub(super) fn live_log_files(&self) -> Vec<Arc<LogFile>> {
        let files = self.shared.snapshot().files;
        let logs = files.iter().filter_map(|file| match file {
            DataFile::Log(file) => Some(Arc::clone(file)),
            DataFile::Segment(_) => None,
        });
        logs.collect()
    }

    /// Bytes of the log.
    pub(super) fn all_log_bytes(&self) -> u64 {
        self.live_log_files().iter().map(|file| file.block_index().end).sum()
    }

    /// Bytes of the rows of some topics in the log.
    pub(super) fn log_bytes(&self, topics: &TopicPattern) -> u64 {
        let mut bytes = 0;
        for file in self.live_log_files() {
            file.block_index().topics.visit(|topic, tally, _| {
                if topics.matches(topic) {
                    bytes += tally.bytes;
                }
            });
        }
        bytes
    }

    /// When the oldest event was received that is not sealed, if there is one.
    pub(super) fn oldest_unsealed_ns(&self) -> Result<Option<i64>> {
        self.shared.oldest_unsealed_ns()
    }

    /// The segments, in order of seq.
    pub(super) fn live_segments(&self) -> Vec<Arc<Segment>> {
        let files = self.shared.snapshot().files;
        let segments = files.iter().filter_map(|file| match file {
            DataFile::Segment(segment) => Some(Arc::clone(segment)),
            DataFile::Log(_) => None,
        });
        segments.collect()
    }

    /// Removes the file of a segment that the manifest no longer names.
    pub(super) fn remove(&self, segment: &Segment) -> Result<()> {
        // An old manifest may yet come back, and names the file.
        if self.shared.manifest.uncertain() {
            return Ok(());
        }
        let path = &segment.info().path;
        self.remover.remove_whole(&*self.log.disk, path).at("remove", path)
    }
}

/// A segment as the manifest names it.
pub(super) fn entry(info: &SegmentInfo) -> SegmentEntry {
    let revision = segment::revision_of(&info.path);
    SegmentEntry { first_seq: info.first_seq, last_seq: info.last_seq, revision }
}
