//! Summary of a segment: range, size and times.

use std::path::PathBuf;

use super::directory::RowGroup;

/// Summary of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    /// Where it is.
    pub path: PathBuf,
    /// The least seq in it.
    pub first_seq: u64,
    /// The greatest seq in it. Between the two some may be missing, where events were lost to
    /// damage.
    pub last_seq: u64,
    /// Number of events.
    pub rows: u64,
    /// Bytes of its events as rows of the log.
    pub bytes: u64,
    /// Length of the file in bytes.
    pub file_bytes: u64,
    /// The least timestamp: nanoseconds since 1970-01-01T00:00:00Z.
    pub first_timestamp_ns: i64,
    /// The greatest timestamp.
    pub last_timestamp_ns: i64,
}

impl SegmentInfo {
    pub(super) fn new(path: PathBuf, file_bytes: u64, groups: &[RowGroup]) -> Self {
        Self {
            path,
            first_seq: groups.first().map_or(0, |group| group.first_seq),
            last_seq: groups.last().map_or(0, |group| group.last_seq),
            rows: groups.iter().map(|group| group.rows).sum(),
            bytes: groups.iter().map(|group| group.bytes).sum(),
            file_bytes,
            first_timestamp_ns: groups.iter().map(|group| group.first_timestamp_ns).min().unwrap_or(i64::MAX),
            last_timestamp_ns: groups.iter().map(|group| group.last_timestamp_ns).max().unwrap_or(i64::MIN),
        }
    }
}
