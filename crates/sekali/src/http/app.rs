//! What every handler can reach.

use std::sync::Arc;
use std::time::Instant;

use sekali_store::{Partition, Reader, Retainer, Store};
use tokio::sync::Semaphore;

use super::auth::Gate;
use super::cursor::CursorKey;
use crate::access::Access;
use crate::budget::Budget;
use crate::ingest::Target;
use crate::limits::{BODIES_BYTES_MAX, COUNTS_MAX, PAGES_BYTES_MAX};
use crate::pipeline::{Committers, Pipeline};

/// The shared state of the API. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(super) gate: Gate,
    pub(super) pipeline: Pipeline,
    /// One for every partition, by number.
    pub(super) readers: Arc<[Reader]>,
    retainers: Arc<[Retainer]>,
    pub(super) target: Target,
    pub(super) cursor_key: CursorKey,
    /// For request bodies.
    pub(super) bodies: Budget,
    /// For pages that are read and not yet sent.
    pub(super) pages: Budget,
    /// One for every count that reads events at the moment.
    pub(super) counts: Arc<Semaphore>,
    pub(super) started: Instant,
}

impl App {
    /// Puts a store to work, for those whom `access` lets in.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub fn start(store: Store, access: Access) -> std::io::Result<(Self, Committers)> {
        let target = Target { hasher: store.hasher(), partitions: store.partition_count() };
        let partitions = store.into_partitions();
        let readers = partitions.iter().map(Partition::reader).collect();
        let retainers = partitions.iter().map(Partition::retainer).collect();
        let (pipeline, committers) = Pipeline::start(partitions)?;
        let app = Self {
            gate: Gate::new(access),
            pipeline,
            readers,
            retainers,
            target,
            cursor_key: CursorKey::new(target.hasher),
            bodies: Budget::new(BODIES_BYTES_MAX),
            pages: Budget::new(PAGES_BYTES_MAX),
            counts: Arc::new(Semaphore::new(COUNTS_MAX)),
            started: Instant::now(),
        };
        Ok((app, committers))
    }

    /// One for every partition, by number.
    pub fn retainers(&self) -> &Arc<[Retainer]> {
        &self.retainers
    }

    /// The way to the committers.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}
