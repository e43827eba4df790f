//! The part of an input that has been read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the progress bar of files that are not read from beginning to end.
pub(super) struct ReadProgress {
    file_bytes: u64,
    bytes_read: Arc<AtomicU64>,
    told: u64,
}

impl ReadProgress {
    pub(super) fn new(file_bytes: u64, bytes_read: &Arc<AtomicU64>) -> Self {
        Self { file_bytes, bytes_read: Arc::clone(bytes_read), told: 0 }
    }

    /// Adds bytes that were read.
    pub(super) fn add(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sets the share of the file that was read, from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bar for people"
    )]
    pub(super) fn share(&mut self, share: f64) {
        let bytes = (self.file_bytes as f64 * share.clamp(0.0, 1.0)) as u64;
        self.add(bytes.saturating_sub(self.told));
        self.told = self.told.max(bytes);
    }
}
