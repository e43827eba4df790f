//! Events counted by way in and by kind of id, since the start.

use std::sync::atomic::{AtomicU64, Ordering};

use sekali_wire::stats::WayStats;

use super::{IdKind, Way};

/// The counters. Events are counted when they are durable, repeats among them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    ids: [[AtomicU64; IdKind::ALL.len()]; Way::ALL.len()],
    quarantined: [AtomicU64; Way::ALL.len()],
}

impl Tally {
    /// Counts events of one kind.
    pub(crate) fn add(&self, way: Way, kind: IdKind, events: usize) {
        if events > 0 {
            self.ids[way as usize][kind as usize].fetch_add(events as u64, Ordering::Relaxed);
        }
    }

    /// Counts records that were put into quarantine.
    pub(crate) fn quarantine(&self, way: Way, records: usize) {
        self.quarantined[way as usize].fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Events that have no id of any kind.
    pub(crate) fn unidentified(&self) -> u64 {
        Way::ALL.into_iter().map(|way| self.count(way, IdKind::None)).sum()
    }

    /// The ways in by which something has come.
    pub(crate) fn ways(&self) -> Vec<WayStats> {
        let ways = Way::ALL.into_iter().map(|way| WayStats {
            way: way.as_str().to_owned(),
            declared: self.count(way, IdKind::Declared),
            positional: self.count(way, IdKind::Positional),
            request: self.count(way, IdKind::Request),
            content: self.count(way, IdKind::Content),
            none: self.count(way, IdKind::None),
            quarantined: self.quarantined[way as usize].load(Ordering::Relaxed),
        });
        let is_used =
            |way: &WayStats| way.declared + way.positional + way.request + way.content + way.none + way.quarantined > 0;
        ways.filter(is_used).collect()
    }

    fn count(&self, way: Way, kind: IdKind) -> u64 {
        self.ids[way as usize][kind as usize].load(Ordering::Relaxed)
    }
}
