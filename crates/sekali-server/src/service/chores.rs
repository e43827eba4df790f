//! The chores that keep a running store in order: retention, durable marks, the scrub, the look at
//! free space, the history of the counters.

use std::sync::Arc;

use sekali_store::{Marker, Reader, Retainer, Retention, Scrubber};
use tokio::task::JoinSet;

use super::scrub::Scrubbing;
use super::{History, Pipeline, ScrubStatus, SpaceWatch, mark, retain};

/// Chores that are yet to be run.
pub struct Chores {
    retainers: Arc<[Retainer]>,
    markers: Vec<Marker>,
    pub(super) scrubbing: Scrubbing,
    space: SpaceWatch,
    history: History,
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
        let scrubbing = Scrubbing { scrubbers, readers, pipeline, status };
        Self { retainers, markers, scrubbing, space, history: History::default() }
    }

    /// The counters of the last intervals, which one of the chores notes.
    pub(super) fn history(&self) -> History {
        self.history.clone()
    }

    /// Runs them until the set is shut down. Events are kept as `retention` says.
    pub fn spawn_on(self, tasks: &mut JoinSet<()>, retention: Retention) {
        let retention = Arc::new(retention);
        // At once: no read may see what is due.
        retain::apply(&self.retainers, &retention);
        tasks.spawn(retain::run(self.retainers, Arc::clone(&self.scrubbing.readers), retention));
        tasks.spawn(mark::run(self.markers));
        tasks.spawn(self.space.run(Arc::clone(&self.scrubbing.readers)));
        tasks.spawn(self.history.run(Arc::clone(&self.scrubbing.readers)));
        tasks.spawn(self.scrubbing.run());
    }
}
