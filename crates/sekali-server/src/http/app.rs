//! The state that every request shares, and the answer to one.

use std::sync::Arc;

use hyper::header::HeaderValue;
use hyper::{Request, Response};

use super::access_log::AccessLog;
use super::answer::Body;
use super::body::{Intake, RequestBody};
use super::cors::Cors;
use super::door::Door;
use super::guard::{Gate, Hosts};
use super::request_id::RequestIds;
use crate::access::Access;
use crate::service::Service;
use crate::timeouts::Timeouts;

/// What browsers may do with the server.
#[derive(Debug, Clone, Default)]
pub struct Browsers {
    /// Pages of these origins may read its answers.
    pub cors_origins: Vec<HeaderValue>,
    /// The only names it answers to while there are no keys. `None` is any.
    pub hosts: Option<Hosts>,
}

/// The HTTP API of a running store. Cheap to clone; clones share.
#[derive(Clone)]
pub struct App {
    pub(super) shared: Arc<Shared>,
}

/// The state that all requests share.
pub(super) struct Shared {
    pub(super) service: Service,
    pub(super) gate: Gate,
    /// For request bodies.
    pub(super) bodies: Intake,
    pub(super) cors: Option<Cors>,
    pub(super) door: Door,
    pub(super) ids: RequestIds,
    pub(super) log: AccessLog,
}

impl App {
    /// The API of `service`, for clients that `access` admits.
    pub fn new(service: Service, access: Access, browsers: Browsers, timeouts: Timeouts) -> Self {
        let Browsers { cors_origins, hosts } = browsers;
        let shared = Shared {
            service,
            gate: Gate::new(access, hosts),
            bodies: Intake::new(timeouts.body),
            cors: Cors::new(cors_origins),
            door: Door::new(),
            ids: RequestIds::new(),
            log: AccessLog::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Answers a request. Must be called on a tokio runtime.
    pub async fn answer(&self, request: Request<RequestBody>) -> Response<Body> {
        super::door::answer(self, request).await
    }
}
