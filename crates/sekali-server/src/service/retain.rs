//! Tells the partitions the time at an interval, so that events expire.

use std::sync::Arc;

use sekali_store::{Retainer, Retention};
use tokio::time::MissedTickBehavior;

use crate::clock::now_ns;
use crate::limits::RETENTION_INTERVAL;

/// Runs until it is aborted, or not at all where everything is kept for ever.
pub(super) async fn run(retainers: Arc<[Retainer]>, retention: Retention) {
    if retention.is_for_ever() {
        return;
    }
    let retention = Arc::new(retention);
    let mut ticks = tokio::time::interval(RETENTION_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now_ns = now_ns();
        retainers.iter().for_each(|retainer| retainer.apply(Arc::clone(&retention), now_ns));
    }
}
