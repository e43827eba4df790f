//! The guard: the name that a request asks for, the key that it shows, and what that key allows.
//!
//! It stands in front of every route and settles both before the body is read. It returns errors
//! and words none: the route does, in its protocol. Handlers ask the [`Grant`] that it made about
//! topics.

pub(super) mod head;
mod hosts;

use hyper::Request;
use hyper::header::{AUTHORIZATION, HeaderMap};
use sekali_wire::timestamp::Timestamp;

use super::answer::{ApiError, Code};
use crate::access::{Access, AuthError, Grant, Lease, Scope};
use crate::clock::now_ns;

pub use hosts::Hosts;

/// Admits requests, or not. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    access: Access,
    /// The only names that are answered to while there are no keys. `None` is any.
    hosts: Option<Hosts>,
}

impl Gate {
    pub(super) fn new(access: Access, hosts: Option<Hosts>) -> Self {
        Self { access, hosts }
    }

    /// The grant of a request with these headers.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<Grant, ApiError> {
        self.grant(headers).map_err(|refused| ApiError::new(Code::Unauthenticated, refused.to_string()))
    }

    /// The lease of a request with these headers, which was admitted.
    ///
    /// # Errors
    /// `unauthenticated`, since keys may have changed.
    pub(super) fn lease(&self, headers: &HeaderMap) -> Result<Lease, ApiError> {
        // Where there are no keys, nothing that is shown matters.
        let shown = if self.access.is_open() { Ok(None) } else { shown(headers) };
        let lease = shown.and_then(|shown| self.access.lease(shown, Timestamp(now_ns())));
        lease.map_err(|refused| ApiError::new(Code::Unauthenticated, refused.to_string()))
    }

    fn grant(&self, headers: &HeaderMap) -> Result<Grant, AuthError> {
        if self.access.is_open() {
            return Ok(Grant::Everything);
        }
        self.access.admit(shown(headers)?, Timestamp(now_ns()))
    }

    /// The grant of a request that needs `scope`; without one every client is let in.
    ///
    /// # Errors
    /// `invalid_host`, `wrong_host`, `unauthenticated`, `forbidden`.
    pub(super) fn admit<B>(&self, scope: Option<Scope>, request: &Request<B>) -> Result<Grant, ApiError> {
        self.check_host(request)?;
        let Some(scope) = scope else {
            return Ok(self.grant(request.headers()).unwrap_or(Grant::Nothing));
        };
        let grant = self.authenticate(request.headers())?;
        if grant.has(scope) { Ok(grant) } else { Err(lacks(scope)) }
    }

    /// Admits a request for nothing in particular.
    ///
    /// # Errors
    /// `invalid_host`, `wrong_host`, `unauthenticated`.
    pub(super) fn admit_any<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        self.check_host(request)?;
        self.authenticate(request.headers()).map(drop)
    }

    /// A name is checked for as long as no key is needed.
    fn check_host<B>(&self, request: &Request<B>) -> Result<(), ApiError> {
        hosts::check_presence(request)?;
        match self.hosts.as_ref().filter(|_| self.access.is_open()) {
            Some(hosts) => hosts.check(request),
            None => Ok(()),
        }
    }
}

/// The error for topics that a key is not for. Whether there is such a topic makes no difference.
pub(super) fn not_for(topic: &str) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key is not for topic `{topic}`"))
}

fn lacks(scope: Scope) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key does not have the scope `{}`", scope.as_str()))
}

/// The text in the place of the key (RFC 6750, 2.1).
fn shown(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, key) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(AuthError::Unknown)?;
    if !scheme.eq_ignore_ascii_case("bearer") || values.next().is_some() {
        return Err(AuthError::Unknown);
    }
    Ok(Some(key.trim()))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_shown_in_one_way() {
        let headers = |values: &[&'static str]| {
            HeaderMap::from_iter(values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))))
        };
        assert_eq!(shown(&headers(&[])), Ok(None));
        assert_eq!(shown(&headers(&["Bearer abc"])), Ok(Some("abc")));
        assert_eq!(shown(&headers(&["bearer  abc "])), Ok(Some("abc")));
        for wrong in [&[""][..], &["abc"], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer a"], &["Bearer a", ""]] {
            assert_eq!(shown(&headers(wrong)), Err(AuthError::Unknown), "{wrong:?}");
        }
        let odd = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xFF").unwrap())]);
        assert_eq!(shown(&odd), Err(AuthError::Unknown));
    }
}
