//! The log lines of a recovery.

use sekali_store::Partition;
use tracing::info;

/// Says what opening the store has recovered, if the process before did not stop in order. What was
/// cut off or is damaged has lines of its own.
pub(super) fn log(partitions: &[Partition]) {
    let events: u64 = partitions.iter().map(Partition::recovered_events).sum();
    if events > 0 {
        info!(events, "recovered what was written last: the process before did not stop in order");
    }
}
