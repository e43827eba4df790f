//! Word of commits, for those that wait for events.

use std::fmt::Debug;

/// Hears of each commit of a partition, once readers see it.
pub trait CommitListener: Debug + Send + Sync {
    /// Events before `end_seq` are visible. Those that this commit added are of `topics`.
    ///
    /// The next commit waits for this call, so it must be short. Calls come in the order of seqs.
    fn committed(&self, end_seq: u64, topics: &mut dyn Iterator<Item = &str>);
}
