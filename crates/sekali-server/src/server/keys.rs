//! Looks again and again whether the keys have changed.

use tokio::time::MissedTickBehavior;

use crate::access::Access;
use crate::limits::KEYS_CHECK_INTERVAL;

/// Runs until it is aborted.
pub(super) async fn run(access: Access) {
    let mut ticks = tokio::time::interval(KEYS_CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let access = access.clone();
        // The only error is that of a runtime that is going down.
        let _ = tokio::task::spawn_blocking(move || access.refresh()).await;
    }
}
