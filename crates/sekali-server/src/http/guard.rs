//! The guard: the name that a request asks for, the key that it shows, and what that key allows.
//!
//! It stands in front of every route and settles both before the body is read. It returns errors
//! and words none: the route does, in its protocol. Handlers ask the [`Grant`] that it made about
//! topics.

pub(super) mod head;
mod hosts;
mod scheme;

use hyper::Request;
use hyper::header::HeaderMap;
use sekali_wire::timestamp::Timestamp;

use super::answer::{ApiError, Code};
use crate::access::{Access, AuthError, Grant, Lease, Scope, WebhookSecret};
use crate::clock::now_ns;

pub use hosts::Hosts;
pub(super) use scheme::KeyScheme;
use scheme::shown;

/// Admits requests, or not. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    access: Access,
    /// The only names that are answered to while there are no keys.
    hosts: Hosts,
}

impl Gate {
    pub(super) fn new(access: Access, hosts: Hosts) -> Self {
        Self { access, hosts }
    }

    /// Whether no key is needed.
    pub(super) fn is_open(&self) -> bool {
        self.access.is_open()
    }

    /// The grant of a request with these headers.
    ///
    /// # Errors
    /// `unauthenticated`.
    fn authenticate(&self, headers: &HeaderMap, schemes: &[KeyScheme]) -> Result<Grant, ApiError> {
        self.grant(headers, schemes).map_err(|refused| ApiError::new(Code::Unauthenticated, refused.to_string()))
    }

    /// The lease of a request with these headers, which was admitted.
    ///
    /// # Errors
    /// `unauthenticated`, since keys may have changed.
    pub(super) fn lease(&self, headers: &HeaderMap, schemes: &[KeyScheme]) -> Result<Lease, ApiError> {
        // Where there are no keys, nothing that is shown matters.
        let shown = if self.access.is_open() { Ok(None) } else { shown(headers, schemes) };
        let lease = shown.and_then(|shown| self.access.lease(shown.as_deref(), Timestamp(now_ns())));
        lease.map_err(|refused| ApiError::new(Code::Unauthenticated, refused.to_string()))
    }

    fn grant(&self, headers: &HeaderMap, schemes: &[KeyScheme]) -> Result<Grant, AuthError> {
        if self.access.is_open() {
            return Ok(Grant::Everything);
        }
        self.access.admit(shown(headers, schemes)?.as_deref(), Timestamp(now_ns()))
    }

    /// The grant of a request that needs `scope`; without one every client is let in.
    ///
    /// # Errors
    /// `invalid_host`, `wrong_host`, `unauthenticated`, `forbidden`.
    pub(super) fn admit<B>(
        &self,
        scope: Option<Scope>,
        schemes: &[KeyScheme],
        request: &Request<B>,
        checks_host: bool,
    ) -> Result<Grant, ApiError> {
        self.check_host(request, checks_host)?;
        let Some(scope) = scope else {
            return Ok(self.grant(request.headers(), schemes).unwrap_or(Grant::Nothing));
        };
        self.admit_for(scope, schemes, request.headers())
    }

    /// The grant of a request with these headers, whose host is known to be right.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    pub(super) fn admit_for(
        &self,
        scope: Scope,
        schemes: &[KeyScheme],
        headers: &HeaderMap,
    ) -> Result<Grant, ApiError> {
        let grant = self.authenticate(headers, schemes)?;
        if grant.has(scope) { Ok(grant) } else { Err(lacks(scope)) }
    }

    /// The secret by which webhooks of this topic are signed, if they are.
    pub(super) fn webhook_secret(&self, topic: &str) -> Option<WebhookSecret> {
        self.access.webhook_secret(topic)
    }

    /// Admits a request for nothing in particular.
    ///
    /// # Errors
    /// `invalid_host`, `wrong_host`, `unauthenticated`.
    pub(super) fn admit_any<B>(&self, request: &Request<B>, checks_host: bool) -> Result<(), ApiError> {
        self.check_host(request, checks_host)?;
        self.authenticate(request.headers(), &[KeyScheme::Bearer]).map(drop)
    }

    /// A name is checked for as long as no key is needed.
    fn check_host<B>(&self, request: &Request<B>, checks_host: bool) -> Result<(), ApiError> {
        hosts::check_presence(request)?;
        if checks_host && self.access.is_open() { self.hosts.check(request) } else { Ok(()) }
    }
}

/// The error for topics that a key is not for. Whether there is such a topic makes no difference.
pub(super) fn not_for(topic: &str) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key is not for topic `{topic}`"))
}

fn lacks(scope: Scope) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key does not have the scope `{}`", scope.as_str()))
}
