//! Who asks: the key of a request, and what it may do.
//!
//! Every route is behind [`guard`], which settles both before the body is read. Handlers find a [`Grant`] among the
//! request's extensions, and ask it about topics.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::body::discard;
use super::error::{ApiError, Code};
use super::refusals::RefusalLog;
use crate::access::{Access, Grant, Moment, Refused, Scope};
use crate::clock::now_ns;

/// Lets requests in, or not. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    access: Access,
    refusals: RefusalLog,
}

/// A gate, and what a route behind it asks for.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) gate: Gate,
    /// `None` lets everybody in, and is told who it is.
    pub(super) scope: Option<Scope>,
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
        let now = Moment(now_ns());
        match shown(headers) {
            Ok(shown) => self.access.admit(shown, now),
            // It is no key, which makes no difference where nobody needs one.
            Err(refused) => self.access.admit(None, now).map_err(|_| refused),
        }
    }
}

/// Stands in front of a route.
pub(super) async fn guard(State(Guard { gate, scope }): State<Guard>, mut request: Request, next: Next) -> Response {
    let admitted = match scope {
        Some(scope) => gate.admit_for(scope, request.headers()),
        None => Ok(gate.grant(request.headers()).unwrap_or(Grant::Nothing)),
    };
    match admitted {
        Ok(grant) => {
            request.extensions_mut().insert(grant);
            next.run(request).await
        }
        Err(error) => refuse(request, error),
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
