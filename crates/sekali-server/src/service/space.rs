//! Whether the disk has room for commits: the state between a full disk and a working one.

use std::sync::{Arc, Mutex, PoisonError};

use sekali_store::Reader;
use sekali_store::limits::FREE_BYTES_MIN;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::limits::SPACE_CHECK_INTERVAL;

/// Too little space for commits, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Free on the disk.
    pub available: u64,
    /// Free bytes that a commit needs.
    pub needed: u64,
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let (available, needed) = (mib(self.available), mib(self.needed));
        write!(f, "{available:.1} MiB are free on the data disk, and {needed:.1} MiB must be")
    }
}

/// The shortage of a store, if it has one. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct SpaceWatch {
    shortage: Arc<Mutex<Option<Shortage>>>,
}

impl SpaceWatch {
    /// The shortage at the last look, or at the last refusal.
    pub fn shortage(&self) -> Option<Shortage> {
        *self.shortage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a shortage or its end. Either is logged once.
    pub(super) fn note(&self, shortage: Option<Shortage>) {
        let before = {
            let mut current = self.shortage.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, shortage)
        };
        match (before, shortage) {
            (None, Some(Shortage { available, needed })) => {
                warn!(available, needed, "publishing is refused: storage is full; reads go on");
            }
            (Some(_), None) => info!("publishing is possible again: storage has space"),
            _ => {}
        }
    }

    /// Looks at the free space until it is aborted.
    pub(super) async fn run(self, readers: Arc<[Reader]>) {
        let mut ticks = tokio::time::interval(SPACE_CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let readers = Arc::clone(&readers);
            // A disk that is slow to tell keeps a thread, not the runtime.
            let free = tokio::task::spawn_blocking(move || least_free(&readers)).await;
            if let Ok(Some(available)) = free {
                // A refused request may have needed more than the least: it counts as long as it
                // would be refused.
                let needed = self.shortage().map_or(FREE_BYTES_MIN, |shortage| shortage.needed);
                self.note((available < needed).then_some(Shortage { available, needed }));
            }
        }
    }
}

/// The free bytes of the fullest disk. `None` where no disk tells.
fn least_free(readers: &[Reader]) -> Option<u64> {
    readers.iter().filter_map(|reader| reader.free_bytes().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_names_both_figures() {
        let shortage = Shortage { available: 4 << 20, needed: 64 << 20 };
        assert_eq!(shortage.to_string(), "4.0 MiB are free on the data disk, and 64.0 MiB must be");
        let watch = SpaceWatch::default();
        watch.note(Some(shortage));
        assert_eq!(watch.shortage(), Some(shortage));
        watch.note(None);
        assert_eq!(watch.shortage(), None);
    }
}
