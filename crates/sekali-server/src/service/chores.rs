//! The chores that keep a running store in order: retention, durable marks, the scrub, the look at
//! free space.

use std::sync::Arc;

use sekali_store::{Marker, Reader, Retainer, Retention, Scrubber};
use tokio::task::JoinSet;

use super::scrub::Scrubbing;
use super::{Pipeline, ScrubStatus, SpaceWatch, mark, retain};

/// Chores that are yet to be run.
pub struct Chores {
    retainers: Arc<[Retainer]>,
    markers: Vec<Marker>,
    pub(super) scrubbing: Scrubbing,
    space: SpaceWatch,
}

impl Chores {
    pub(super) fn new(
        retainers: Arc<[Retainer]>,
        scrubbers: Vec<Scrubber>,
        markers: Vec<Marker>,
        readers: Arc<[Reader]>,
        pipeline: Pipeline,
        status: Arc<ScrubStatus>,
        space: SpaceWatch,
    ) -> Self {
        Self { retainers, markers, scrubbing: Scrubbing { scrubbers, readers, pipeline, status }, space }
    }

    /// Runs them until the set is shut down. Events are kept as `retention` says.
    pub fn spawn_on(self, tasks: &mut JoinSet<()>, retention: Retention) {
        let retention = Arc::new(retention);
        // At once: no read may see what is due.
        retain::apply(&self.retainers, &retention);
        tasks.spawn(retain::run(self.retainers, Arc::clone(&self.scrubbing.readers), retention));
        tasks.spawn(mark::run(self.markers));
        tasks.spawn(self.space.run(Arc::clone(&self.scrubbing.readers)));
        tasks.spawn(self.scrubbing.run());
    }
}
