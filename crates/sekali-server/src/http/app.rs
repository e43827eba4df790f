//! The state that every request shares.

use std::sync::Arc;

use sekali_wire::stats::Address;

use super::access_log::AccessLog;
use super::body::Intake;
use super::guard::{Gate, Hosts};
use super::request_id::RequestIds;
use crate::access::Access;
use crate::metrics::Metrics;
use crate::pages::PageFile;
use crate::service::Service;
use crate::timeouts::Timeouts;

/// The state that every request shares. Cheap to clone; clones share.
#[derive(Clone)]
pub(super) struct App {
    pub(super) shared: Arc<Shared>,
}

/// The state itself.
pub(super) struct Shared {
    pub(super) service: Service,
    pub(super) gate: Gate,
    /// For request bodies.
    pub(super) bodies: Intake,
    pub(super) ids: RequestIds,
    pub(super) log: AccessLog,
    pub(super) timeouts: Timeouts,
    pub(super) metrics: Metrics,
    /// The description of the API.
    pub(super) describe: fn() -> &'static PageFile,
    /// Where it listens.
    pub(super) addresses: Vec<Address>,
}

impl App {
    /// The state of an API that answers to `hosts`.
    pub(super) fn new(
        service: Service,
        access: Access,
        hosts: Hosts,
        timeouts: Timeouts,
        metrics: Metrics,
        describe: fn() -> &'static PageFile,
        addresses: Vec<Address>,
    ) -> Self {
        let shared = Shared {
            service,
            gate: Gate::new(access, hosts),
            bodies: Intake::new(timeouts.body),
            ids: RequestIds::new(),
            log: AccessLog::default(),
            timeouts,
            metrics,
            describe,
            addresses,
        };
        Self { shared: Arc::new(shared) }
    }
}
