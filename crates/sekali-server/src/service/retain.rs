//! Tells the partitions the time at an interval, so that they seal and let events expire. Warns
//! where the time is wrong.

use std::sync::Arc;

use sekali_store::{Expired, Reader, Retainer, Retention};
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use super::status::{clock_behind, expired_of};
use crate::clock::now_ns;
use crate::limits::RETENTION_INTERVAL;

/// Runs until it is aborted.
pub(super) async fn run(retainers: Arc<[Retainer]>, readers: Arc<[Reader]>, retention: Arc<Retention>) {
    let mut ticks = tokio::time::interval(RETENTION_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut expired, mut was_behind) = (expired_of(&readers), false);
    loop {
        ticks.tick().await;
        let now_ns = apply(&retainers, &retention);
        expired = tell_expired(expired, expired_of(&readers));
        was_behind = tell_clock(was_behind, clock_behind(&readers, now_ns));
    }
}

/// Tells all partitions the rules and the time, which is returned.
pub(super) fn apply(retainers: &[Retainer], retention: &Arc<Retention>) -> i64 {
    let now_ns = now_ns();
    retainers.iter().for_each(|retainer| retainer.apply(Arc::clone(retention), now_ns));
    now_ns
}

/// Logs what has expired in between.
fn tell_expired(before: Expired, after: Expired) -> Expired {
    let (events, bytes) = (after.events - before.events, after.bytes - before.bytes);
    if events > 0 {
        info!(events, bytes, "events have expired and are deleted");
    }
    after
}

/// Logs that the clock is behind the newest event, and that it no longer is.
fn tell_clock(was_behind: bool, behind_seconds: u64) -> bool {
    match (was_behind, behind_seconds) {
        (false, 1..) => warn!(
            behind_seconds,
            "the clock is behind the newest event: it is wrong now, or was wrong then; check it, since events expire by it"
        ),
        (true, 0) => info!("the clock is no longer behind the newest event"),
        _ => {}
    }
    behind_seconds > 0
}
