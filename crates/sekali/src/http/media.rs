//! Media types: how a body is laid out, and how an answer should be.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};

use super::error::{ApiError, Code};
use crate::ingest::Format;

/// What NDJSON answers are sent as.
pub(super) const NDJSON: &str = "application/x-ndjson";

const NDJSON_NAMES: [&str; 4] = [NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// How the body of a request is laid out, by its `Content-Type`. Without one it is JSON.
///
/// # Errors
/// Any other type.
pub(super) fn body_format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Format::Json) };
    let text = value.to_str().unwrap_or_default();
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let essence = essence.trim();
    let format = if essence.eq_ignore_ascii_case("application/json") {
        Some(Format::Json)
    } else if is_ndjson(essence) {
        Some(Format::Ndjson)
    } else {
        None
    };
    format.filter(|_| is_utf8(parameters)).ok_or_else(|| {
        let message = "Content-Type must be application/json or application/x-ndjson, in UTF-8; \
                       with curl: -H 'content-type: application/json'";
        ApiError::new(Code::UnsupportedMediaType, message)
    })
}

/// Whether the client would rather have NDJSON than JSON, by its `Accept`.
pub(super) fn prefers_ndjson(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut ndjson, mut json) = (0, 0);
    for range in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let name = name.trim();
        let quality = quality(parameters);
        if is_ndjson(name) {
            ndjson = ndjson.max(quality);
        } else if ["application/json", "application/*", "*/*"].iter().any(|json| name.eq_ignore_ascii_case(json)) {
            json = json.max(quality);
        }
    }
    // A client that names it and takes anything else as well means it.
    ndjson > 0 && (ndjson >= json)
}

fn is_ndjson(name: &str) -> bool {
    NDJSON_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn is_utf8(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
    })
}

/// The `q` of a media range in thousandths (RFC 9110, 12.4.2).
fn quality(parameters: &str) -> u32 {
    let q = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).find_map(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().unwrap_or(0.0))
    });
    (q.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, axum::http::HeaderValue::from_static(value))])
    }

    #[test]
    fn content_types_are_told_apart() {
        let format = |value| body_format(&headers(CONTENT_TYPE, value)).ok();
        assert_eq!(format("application/json"), Some(Format::Json));
        assert_eq!(format("Application/JSON; charset=\"UTF-8\""), Some(Format::Json));
        assert_eq!(format("application/x-ndjson"), Some(Format::Ndjson));
        assert_eq!(format("application/jsonl;charset=utf-8"), Some(Format::Ndjson));
        assert_eq!(format("application/json; charset=latin1"), None);
        assert_eq!(format("text/plain"), None);
        assert_eq!(format("application/x-www-form-urlencoded"), None);
        assert_eq!(body_format(&HeaderMap::new()).ok(), Some(Format::Json));
    }

    #[test]
    fn accept_chooses() {
        let ndjson = |value| prefers_ndjson(&headers(ACCEPT, value));
        assert!(ndjson("application/x-ndjson"));
        assert!(ndjson("application/x-ndjson, */*"));
        assert!(ndjson("application/json;q=0.5, application/x-ndjson;q=0.9"));
        assert!(!ndjson("application/json, application/x-ndjson;q=0.9"));
        assert!(!ndjson("application/x-ndjson;q=0"));
        assert!(!ndjson("*/*"));
        assert!(!ndjson("text/html"));
        assert!(!prefers_ndjson(&HeaderMap::new()));
    }
}
