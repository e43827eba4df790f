//! Pages of other origins, where some were named (Fetch standard, "CORS protocol").

use hyper::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    LINK, ORIGIN, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::{Method, Response};

use super::answer::{ACK_CURSOR, Body, LAST_EVENT_ID, NEXT_CURSOR, RESUME_CURSOR};
use super::request_id::REQUEST_ID;
use super::routes::ROUTES;

/// The headers that a page may send.
const SENT: [HeaderName; 5] = [ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LAST_EVENT_ID];
/// The headers of answers that a page may read, beyond those that it always may.
const READ: [HeaderName; 7] = [LINK, RETRY_AFTER, WWW_AUTHENTICATE, ACK_CURSOR, NEXT_CURSOR, RESUME_CURSOR, REQUEST_ID];
const VARIES_BY: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

/// The origins whose pages may read answers.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<HeaderValue>,
    sent: HeaderValue,
    read: HeaderValue,
    methods: HeaderValue,
}

impl Cors {
    /// Admits these origins; `None` where there are none.
    pub(super) fn new(origins: Vec<HeaderValue>) -> Option<Self> {
        let mut methods: Vec<&Method> = ROUTES.iter().map(|route| &route.method).collect();
        methods.sort_unstable_by_key(|method| method.as_str());
        methods.dedup();
        let methods = list(methods.iter().map(|method| method.as_str()));
        let (sent, read) = (list(SENT.iter().map(HeaderName::as_str)), list(READ.iter().map(HeaderName::as_str)));
        (!origins.is_empty()).then_some(Self { origins, sent, read, methods })
    }

    /// The origin of a request, if it is one of them.
    pub(super) fn admitted_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(ORIGIN).filter(|origin| self.origins.contains(origin)).cloned()
    }

    /// The answer to a preflight request.
    pub(super) fn preflight(&self, headers: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        answer.insert(VARY, VARIES_BY);
        if let Some(origin) = self.admitted_origin(headers) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.sent.clone());
        response
    }

    /// Lets a page of `origin` read an answer.
    pub(super) fn allow(&self, origin: Option<HeaderValue>, answer: &mut HeaderMap) {
        answer.insert(VARY, VARIES_BY);
        if let Some(origin) = origin {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.read.clone());
    }
}

/// Names with commas between them. Names of headers and methods are valid in a header.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> HeaderValue {
    HeaderValue::from_str(&names.collect::<Vec<_>>().join(",")).unwrap_or(HeaderValue::from_static(""))
}
