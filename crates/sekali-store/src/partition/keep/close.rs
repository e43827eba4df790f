//! Closes the last log file, so that it can be sealed although it is not full.
//!
//! Only what is sealed can expire, and only segments are Parquet files. So the log is sealed in
//! whole once its oldest event has waited for long, once nothing has come for a while, or once it
//! takes up too much of what may stay; and all the sooner, the longer it takes to search.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::expire::{AGE_SHARE, RetentionRequest, SIZE_SHARE};
use super::live::LiveFiles;
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::limits::{
    LARGE_LOG_BYTES, LIMITED_FILE_BYTES_MIN, SEAL_AFTER_NS, SEAL_IDLE_NS, SEAL_LARGE_AFTER_NS, SEAL_SLOW_IDLE_NS,
    SEAL_SPAN_NS_MIN, SLOW_LOG_BYTES,
};
use crate::log::writer::LogWriter;
use crate::retention::Retention;

/// Closes the last log file of a partition.
#[derive(Debug)]
pub(super) struct Closer {
    writer: Arc<Mutex<LogWriter>>,
    /// Length of log files, in bytes, where no size limits them.
    file_bytes: u64,
    /// Everything before this seq is to be sealed.
    seal_before: AtomicU64,
}

impl Closer {
    pub(super) fn new(writer: Arc<Mutex<LogWriter>>, file_bytes: u64) -> Self {
        Self { writer, file_bytes, seal_before: AtomicU64::new(0) }
    }

    /// Everything before this seq is to be sealed, even if the index has to write for it.
    pub(super) fn seal_before(&self) -> u64 {
        self.seal_before.load(Ordering::Acquire)
    }

    /// Closes the last log file, if the log is to be sealed by now.
    ///
    /// # Errors
    /// [`Error::StorageFull`]: nothing has changed. After any other the partition takes no more
    /// commits.
    pub(super) fn close_if_due(&self, live: &LiveFiles, request: &RetentionRequest) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // A commit that failed or panicked while it was being written leaves the log in doubt.
        if self.writer.is_poisoned() || live.shared.stopped().is_some() {
            return Ok(());
        }
        writer.set_file_bytes(file_bytes(&request.retention, self.file_bytes));
        if !is_due(live, request, writer.position().received_at_ns)? {
            return Ok(());
        }
        let rotated = writer.rotate_if_filled().and_then(|file| match file {
            Some(file) => live.shared.add_file(file),
            None => Ok(()),
        });
        if let Err(error) = rotated {
            return Err(if matches!(error, Error::StorageFull { .. }) { error } else { live.shared.stop(&error) });
        }
        let before = self.seal_before.swap(writer.position().next_seq, Ordering::AcqRel);
        invariant!(before <= writer.position().next_seq, "less of the log is to be sealed than before");
        Ok(())
    }
}

/// The length of log files, in bytes, so that a segment is a small part of what may stay.
fn file_bytes(retention: &Retention, usual: u64) -> u64 {
    let limit = retention.sizes.iter().map(|rule| (rule.bytes / SIZE_SHARE).max(LIMITED_FILE_BYTES_MIN)).min();
    limit.map_or(usual, |limit| limit.min(usual))
}

/// Whether the log is to be sealed. `last_ns` is the time of the last commit.
fn is_due(live: &LiveFiles, request: &RetentionRequest, last_ns: i64) -> Result<bool> {
    let RetentionRequest { retention, now_ns } = request;
    let Some(first_ns) = live.oldest_unsealed_ns()? else { return Ok(false) };
    let age_ns = now_ns.saturating_sub(first_ns.min(last_ns));
    let idle_ns = now_ns.saturating_sub(last_ns);
    if age_ns >= SEAL_AFTER_NS || idle_ns >= SEAL_IDLE_NS {
        return Ok(true);
    }
    let log_bytes = live.all_log_bytes();
    if (log_bytes >= SLOW_LOG_BYTES && idle_ns >= SEAL_SLOW_IDLE_NS)
        || (log_bytes >= LARGE_LOG_BYTES && age_ns >= SEAL_LARGE_AFTER_NS)
    {
        return Ok(true);
    }
    let is_large = |bytes: u64, limit: u64| bytes > (limit / SIZE_SHARE).max(LIMITED_FILE_BYTES_MIN);
    if retention.sizes.iter().any(|rule| is_large(live.log_bytes(&rule.topics), rule.bytes)) {
        return Ok(true);
    }
    Ok(shortest_age_ns(live, retention).is_some_and(|shortest_ns| age_ns >= span_ns(shortest_ns)))
}

/// How long a time events with this age may be together in a file.
fn span_ns(age_ns: i64) -> i64 {
    (age_ns / AGE_SHARE).max(SEAL_SPAN_NS_MIN)
}

/// The least age of the topics in the log.
fn shortest_age_ns(live: &LiveFiles, retention: &Retention) -> Option<i64> {
    if retention.ages.iter().all(|rule| rule.age_ns.is_none()) {
        return None;
    }
    let mut shortest_ns = None::<i64>;
    for file in live.live_log_files() {
        file.block_index().topics.visit(|topic, _, _| {
            let age_ns = retention.age_ns(topic);
            shortest_ns = shortest_ns.into_iter().chain(age_ns).min();
        });
    }
    shortest_ns
}
