//! Settings that nobody should change outside of tests.

use crate::index::IndexOptions;
use crate::limits::{FREE_BYTES_MIN, LOG_FILE_BYTES, SEGMENT_FAN_IN};

/// How a store works inside. The default is right.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Bits of fingerprints that are kept; fewer make keys collide.
    pub fingerprint_mask: u128,
    /// Sizes of the dedup index.
    pub index: IndexOptions,
    /// A log file is closed at the first commit that finds it this long.
    pub log_file_bytes: u64,
    /// Free space, in bytes, that a commit must leave.
    pub free_bytes_min: u64,
    /// Adjacent segments of one size that are merged.
    pub segment_fan_in: usize,
    /// Whether a thread seals and merges. Without it each commit does what is due.
    pub seal_in_background: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            fingerprint_mask: u128::MAX,
            index: IndexOptions::default(),
            log_file_bytes: LOG_FILE_BYTES,
            free_bytes_min: FREE_BYTES_MIN,
            segment_fan_in: SEGMENT_FAN_IN,
            seal_in_background: true,
        }
    }
}
