//! Parts of a server that only tests replace.

use std::sync::Arc;

use sekali_store::Tuning;
use sekali_store::disk::{Disk, RealDisk};

use crate::timeouts::Timeouts;

/// Parts of a server that no setting reaches. Tests replace them.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Internals {
    /// The disk under the store.
    pub disk: Arc<dyn Disk>,
    /// Time limits of clients, for tests that cannot wait as long.
    pub timeouts: Timeouts,
    /// Sizes of the engine's parts, for tests of states that take long to reach.
    pub tuning: Tuning,
}

impl Default for Internals {
    fn default() -> Self {
        Self::on(Arc::new(RealDisk))
    }
}

impl Internals {
    /// The usual parts, on this disk.
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Self { disk, timeouts: Timeouts::default(), tuning: Tuning::default() }
    }
}
