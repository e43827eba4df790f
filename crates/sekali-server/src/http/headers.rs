//! Headers that every answer has.

use std::sync::LazyLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::json::JSON;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Answers are data: they are not to be guessed at, kept, run, framed or embedded.
const COMMON: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// The headers of an answer in JSON, which is nearly every one: a copy of what is made once costs less than making it.
pub(super) fn of_json() -> HeaderMap {
    static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
        let common = COMMON.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value)));
        common.chain([(CONTENT_TYPE, JSON)]).collect()
    });
    HEADERS.clone()
}

/// Adds what every answer has and this one has not said otherwise.
pub(super) fn add_common(response: &mut Response) {
    // One that was made with one of them has them all.
    if response.headers().contains_key(X_CONTENT_TYPE_OPTIONS) {
        return;
    }
    for (name, value) in COMMON {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
