//! The state that background work carries from step to step.

use super::merge::RunMerge;
use super::retired::Retired;
use super::sort::SortKey;

/// Merges in progress, and memory that steps use again.
#[derive(Debug)]
pub(super) struct UpkeepProgress {
    /// At most one for each level.
    pub(super) merges: Vec<RunMerge>,
    /// A number is never used twice, not even after a failure: an old manifest may have become
    /// durable after all.
    next_run: u64,
    pub(super) retired: Retired,
    /// The memory in which tables are sorted, kept as long as full tables follow each other.
    pub(super) order: Vec<SortKey>,
}

impl UpkeepProgress {
    pub(super) fn new(next_run: u64) -> Self {
        Self { merges: Vec::new(), next_run, retired: Retired::default(), order: Vec::new() }
    }

    /// A number for a new run.
    pub(super) fn take_number(&mut self) -> u64 {
        self.next_run += 1;
        self.next_run - 1
    }
}
