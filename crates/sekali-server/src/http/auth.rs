//! Who asks: the key of a request, and what it may do.
//!
//! Every route is behind [`Guarded`], which settles both before the body is read. Handlers find a [`Grant`] in their state,
//! which nothing else makes, and ask it about topics.

use std::future::{Future, ready};
use std::pin::Pin;

use axum::extract::{FromRef, Request};
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::{IntoResponse as _, Response};

use super::App;
use super::body::discard;
use super::error::{ApiError, Code};
use super::hosts;
use super::refusals::RefusalLog;
use crate::access::{Access, Grant, Refused, Scope};
use crate::clock::now_ns;
use sekali_wire::timestamp::Timestamp;

/// Lets requests in, or not. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    access: Access,
    refusals: RefusalLog,
}

/// The state of handlers behind a guard.
#[derive(Clone)]
pub(super) struct Admitted {
    app: App,
    grant: Grant,
}

/// A handler with a guard in front of it. It is a handler itself and no middleware, which costs each request several
/// allocations.
#[derive(Debug, Clone)]
pub(super) struct Guarded<H> {
    /// What a key must be for. `None` lets everybody in, and is told who it is.
    pub(super) scope: Option<Scope>,
    pub(super) handler: H,
}

impl Gate {
    pub(super) fn new(access: Access) -> Self {
        Self { access, refusals: RefusalLog::default() }
    }

    /// Whether nobody needs a key.
    pub(super) fn is_open(&self) -> bool {
        self.access.is_open()
    }

    /// What a request with these headers may do.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<Grant, ApiError> {
        self.grant(headers).map_err(|refused| {
            self.refusals.note(refused);
            ApiError::new(Code::Unauthenticated, refused.to_string())
        })
    }

    /// As [`Gate::admit`], for a request that must have been made for `scope`.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`.
    fn admit_for(&self, scope: Scope, headers: &HeaderMap) -> Result<Grant, ApiError> {
        let grant = self.admit(headers)?;
        if grant.has(scope) { Ok(grant) } else { Err(lacks(scope)) }
    }

    fn grant(&self, headers: &HeaderMap) -> Result<Grant, Refused> {
        if self.is_open() {
            return Ok(Grant::Everything);
        }
        self.access.admit(shown(headers)?, Timestamp(now_ns()))
    }
}

impl<T: 'static, H: Handler<T, Admitted>> Handler<T, App> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: App) -> Self::Future {
        match let_in(&app, self.scope, &request) {
            Ok(grant) => Box::pin(self.handler.call(request, Admitted { app, grant })),
            Err(error) => Box::pin(ready(refuse(request, error))),
        }
    }
}

impl FromRef<Admitted> for App {
    fn from_ref(admitted: &Admitted) -> Self {
        admitted.app.clone()
    }
}

impl FromRef<Admitted> for Grant {
    fn from_ref(admitted: &Admitted) -> Self {
        admitted.grant.clone()
    }
}

/// What a request may do, asked by the right name.
///
/// # Errors
/// `wrong_host`, `unauthenticated`, `forbidden`.
pub(super) fn let_in(app: &App, scope: Option<Scope>, request: &Request) -> Result<Grant, ApiError> {
    hosts::check(app, request)?;
    match scope {
        Some(scope) => app.gate.admit_for(scope, request.headers()),
        None => Ok(app.gate.grant(request.headers()).unwrap_or(Grant::Nothing)),
    }
}

/// Answers with `error`, whatever the body is.
pub(super) fn refuse(request: Request, error: ApiError) -> Response {
    let (parts, body) = request.into_parts();
    discard(&parts.headers, body);
    error.into_response()
}

/// The error for topics that a key is not for. Whether there is such a topic makes no difference.
pub(super) fn not_for(topic: &str) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key is not for topic `{topic}`"))
}

fn lacks(scope: Scope) -> ApiError {
    ApiError::new(Code::Forbidden, format!("this key does not have the scope `{}`", scope.as_str()))
}

/// What stands in the place of the key (RFC 6750, 2.1).
fn shown(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, key) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refused::Unknown)?;
    if !scheme.eq_ignore_ascii_case("bearer") || values.next().is_some() {
        return Err(Refused::Unknown);
    }
    Ok(Some(key.trim()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

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
            assert_eq!(shown(&headers(wrong)), Err(Refused::Unknown), "{wrong:?}");
        }
        let odd = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xFF").unwrap())]);
        assert_eq!(shown(&odd), Err(Refused::Unknown));
    }
}
