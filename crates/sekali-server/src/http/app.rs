//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use sekali_store::{Partition, Reader, Retainer, Scrubber, Store};

use super::auth::Gate;
use super::body::Intake;
use super::cursor::CursorKey;
use super::hosts::Hosts;
use super::reads::Reads;
use crate::access::Access;
use crate::budget::Budget;
use crate::ingest::Target;
use crate::limits::{COUNTS_MAX, PAGES_BYTES_MAX, READS_MAX, STREAMS_MAX};
use crate::pipeline::{Committers, Pipeline};
use crate::scrub::ScrubStatus;
use crate::timeouts::Timeouts;

/// The shared state of the API. Cheap to clone: every request does.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    /// The only names that it answers to while there are no keys. `None` is any.
    pub(super) hosts: Option<Hosts>,
}

/// What all clones of an [`App`] share.
pub struct Parts {
    pub(super) gate: Gate,
    pub(super) pipeline: Pipeline,
    /// One for every partition, by number.
    pub(super) readers: Arc<[Reader]>,
    retainers: Arc<[Retainer]>,
    pub(super) scrub: Arc<ScrubStatus>,
    pub(super) target: Target,
    pub(super) cursor_key: CursorKey,
    /// For request bodies.
    pub(super) bodies: Intake,
    /// For pages that are read and not yet sent.
    pub(super) pages: Budget,
    /// For answers that are read at once.
    pub(super) reads: Reads,
    /// For answers that are read while they are sent.
    pub(super) streams: Reads,
    /// For counts that read events.
    pub(super) counts: Reads,
    pub(super) started: Instant,
}

impl App {
    /// Puts a store to work, for those whom `access` lets in. The scrubbers, one for every partition, are for the caller
    /// to run. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// The operating system refuses a thread, or there is no runtime.
    pub fn start(
        store: Store,
        access: Access,
        timeouts: Timeouts,
    ) -> std::io::Result<(Self, Committers, Vec<Scrubber>)> {
        let target = Target { hasher: store.hasher(), partitions: store.partition_count() };
        let partitions = store.into_partitions();
        let readers = partitions.iter().map(Partition::reader).collect();
        let retainers = partitions.iter().map(Partition::retainer).collect();
        let scrubbers = partitions.iter().map(Partition::scrubber).collect();
        let (pipeline, committers) = Pipeline::start(partitions)?;
        let parts = Parts {
            gate: Gate::new(access),
            pipeline,
            readers,
            retainers,
            scrub: Arc::default(),
            target,
            cursor_key: CursorKey::new(target.hasher),
            bodies: Intake::new(timeouts.body),
            pages: Budget::new(PAGES_BYTES_MAX),
            reads: Reads::new(READS_MAX),
            streams: Reads::new(STREAMS_MAX),
            counts: Reads::new(COUNTS_MAX),
            started: Instant::now(),
        };
        Ok((Self { parts: Arc::new(parts), hosts: None }, committers, scrubbers))
    }

    /// The same, answering to these names only.
    pub(super) fn answering_to(self, hosts: Option<Hosts>) -> Self {
        Self { hosts, ..self }
    }

    /// One for every partition, by number.
    pub fn retainers(&self) -> &Arc<[Retainer]> {
        &self.retainers
    }

    /// One for every partition, by number.
    pub fn readers(&self) -> &Arc<[Reader]> {
        &self.readers
    }

    /// How far the scrub has come.
    pub fn scrub_status(&self) -> &Arc<ScrubStatus> {
        &self.scrub
    }

    /// The way to the committers.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}
