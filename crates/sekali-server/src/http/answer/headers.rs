//! Headers that every answer of a class has.

use std::sync::LazyLock;

use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use super::JSON;
use crate::http::request_id::{PLACEHOLDER, REQUEST_ID};

/// The use that a browser may make of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderClass {
    /// Data: not to be guessed at, kept, run, framed or embedded.
    Data,
    /// A page of our own: it runs our scripts and styles, asks this server, and is asked for again
    /// each time.
    Page,
    /// A file of such a page under a versioned path: kept for ever.
    Asset,
}

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Marks an answer that is not sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

type Headers = [(HeaderName, &'static str); 5];

/// Data is not to be guessed at, kept, run, framed or embedded.
const DATA: Headers = headers("no-store", "default-src 'none'; frame-ancestors 'none'");

/// Pages run scripts and styles of this server only, and talk to no other.
const PAGE: Headers = headers(
    "no-cache",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// The path of an asset names its version, so that a copy stays right for ever.
const ASSET: Headers = headers("public, max-age=31536000, immutable", "default-src 'none'; frame-ancestors 'none'");

const fn headers(cache: &'static str, policy: &'static str) -> Headers {
    [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, cache),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ]
}

/// The headers of an answer in JSON, which is nearly every one: a copy of finished ones costs less
/// than making them.
pub(super) fn of_json() -> HeaderMap {
    static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
        let data = DATA.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
        // Room for the id: inserting a further header would make the map grow.
        data.chain([(CONTENT_TYPE, JSON), (REQUEST_ID, PLACEHOLDER)]).collect()
    });
    HEADERS.clone()
}

/// Adds the headers of its class that an answer does not have yet.
pub(in crate::http) fn add_headers(answer: &mut HeaderMap, class: HeaderClass) {
    // An answer that was made with one of them has them all.
    if answer.contains_key(X_CONTENT_TYPE_OPTIONS) {
        return;
    }
    let headers = match class {
        HeaderClass::Data => DATA,
        HeaderClass::Page => PAGE,
        HeaderClass::Asset => ASSET,
    };
    for (name, value) in headers {
        answer.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_says_what_a_browser_may_do() {
        let header = |class, name: HeaderName| {
            let mut answer = HeaderMap::new();
            add_headers(&mut answer, class);
            answer[name].to_str().unwrap().to_owned()
        };
        assert_eq!(header(HeaderClass::Data, CACHE_CONTROL), "no-store");
        assert!(header(HeaderClass::Data, CONTENT_SECURITY_POLICY).starts_with("default-src 'none';"));
        assert!(header(HeaderClass::Page, CONTENT_SECURITY_POLICY).contains("script-src 'self';"));
        assert!(!header(HeaderClass::Page, CONTENT_SECURITY_POLICY).contains("unsafe-inline"));
        assert!(header(HeaderClass::Asset, CACHE_CONTROL).contains("immutable"));
    }
}
