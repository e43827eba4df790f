//! Bounds the memory of the index: waits, or refuses, while tables fill faster than they can be
//! written.

use super::core::IndexCore;
use super::worker;
use crate::error::Result;
use crate::limits::{INDEX_TABLES_REPLAYED_MAX, INDEX_TABLES_WAITING_MAX};

/// After a table has filled: wakes the thread that writes it, and waits while too many wait to be
/// written.
pub(super) fn make_room(core: &IndexCore) {
    let crowded = || core.state().frozen.len() > INDEX_TABLES_WAITING_MAX;
    if core.options.background {
        core.signals.raise();
        core.signals.wait_while(|| crowded() && !core.failures.flush_failed());
    } else {
        // `failures` records a failed step, and health and stats show it.
        while crowded() && worker::step(core).is_ok_and(|worked| worked) {}
    }
}

/// The error that keeps tables from being written, once the maximum of them waits.
pub(super) fn check(core: &IndexCore) -> Result<()> {
    core.failures.check_invariants()?;
    if !core.options.background && core.failures.flush_failed() {
        // Without a thread, only this call can try again. `failures` records the outcome.
        let _ = worker::step(core);
    }
    let crowded = core.state().frozen.len() >= INDEX_TABLES_WAITING_MAX;
    match core.failures.flush_error(&core.dir) {
        Some(error) if crowded => Err(error),
        _ => Ok(()),
    }
}

/// The error that keeps tables from being written, once more of them wait than a start may hold.
pub(super) fn check_replayed(core: &IndexCore) -> Result<()> {
    let is_overfull = core.state().frozen.len() > INDEX_TABLES_REPLAYED_MAX;
    core.failures.flush_error(&core.dir).filter(|_| is_overfull).map_or(Ok(()), Err)
}
