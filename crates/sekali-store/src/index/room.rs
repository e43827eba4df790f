//! Keeps the index in bounded memory: waits or refuses while tables cannot be written as fast as they fill.

use super::core::IndexCore;
use super::worker;
use crate::error::Result;
use crate::limits::{INDEX_TABLES_REPLAYED_MAX, INDEX_TABLES_WAITING_MAX};

/// After a table has been filled: sees to it that it is written, and waits while too many are not.
pub(super) fn make_room(core: &IndexCore) {
    let crowded = || core.state().frozen.len() > INDEX_TABLES_WAITING_MAX;
    if core.options.background {
        core.signals.raise();
        core.signals.wait_while(|| crowded() && !core.failures.flush_failed());
    } else {
        // A failed step is kept in `failures`, where health and stats show it.
        while crowded() && worker::step(core).is_ok_and(|worked| worked) {}
    }
}

/// The error that keeps tables from being written, once as many wait as may.
pub(super) fn check(core: &IndexCore) -> Result<()> {
    core.failures.check_invariants()?;
    if !core.options.background && core.failures.flush_failed() {
        // There is no thread that tries again. How it goes is kept in `failures`.
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
