//! Media types: how a body is laid out, and how an answer should be.

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

use super::{ApiError, Code, JSON, LineLayout};
use crate::ingest::{Format, excerpt};

/// Media type of NDJSON answers.
pub(in crate::http) const NDJSON: &str = "application/x-ndjson";
/// Media type of CSV answers.
pub(in crate::http) const CSV: &str = "text/csv; charset=utf-8; header=present";

const NDJSON_NAMES: [&str; 4] = [NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// How the body of a request is laid out, by its `Content-Type`. Without one it is JSON.
///
/// # Errors
/// Any other type.
pub(in crate::http) fn body_format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Format::Json) };
    if value == JSON {
        return Ok(Format::Json);
    }
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
    let format = format.ok_or_else(|| {
        let message = "Content-Type must be application/json or application/x-ndjson, in UTF-8; \
                       with curl: -H 'content-type: application/json'";
        ApiError::new(Code::UnsupportedMediaType, message)
    })?;
    match charsets(parameters).find(|charset| !CHARSETS.iter().any(|known| charset.eq_ignore_ascii_case(known))) {
        Some(other) => {
            let message = format!("the charset `{}` is not read: send UTF-8, or leave charset out", excerpt(other));
            Err(ApiError::new(Code::UnsupportedMediaType, message))
        }
        None => Ok(format),
    }
}

/// The charsets that are UTF-8 or a part of it, with the aliases that clients send.
const CHARSETS: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];

/// The lines that the client would rather have than a JSON array, by its `Accept`.
pub(in crate::http) fn preferred_lines(headers: &HeaderMap) -> Option<LineLayout> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut ndjson, mut csv, mut json) = (0, 0, 0);
    for range in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let name = name.trim();
        let quality = quality(parameters);
        if is_ndjson(name) {
            ndjson = ndjson.max(quality);
        } else if name.eq_ignore_ascii_case("text/csv") {
            csv = csv.max(quality);
        } else if ["application/json", "application/*", "*/*"].iter().any(|json| name.eq_ignore_ascii_case(json)) {
            json = json.max(quality);
        }
    }
    // A client that names one and takes anything else as well means it.
    let lines = if csv > ndjson { (csv, LineLayout::Csv) } else { (ndjson, LineLayout::Ndjson) };
    (lines.0 > 0 && lines.0 >= json).then_some(lines.1)
}

fn is_ndjson(name: &str) -> bool {
    NDJSON_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The value of each `charset` parameter.
fn charsets(parameters: &str) -> impl Iterator<Item = &str> {
    let parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
    let charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.map(|(_, value)| value.trim().trim_matches(['"', '\'']))
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

    fn headers(name: hyper::header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, hyper::header::HeaderValue::from_static(value))])
    }

    #[test]
    fn content_types_are_told_apart() {
        let format = |value| body_format(&headers(CONTENT_TYPE, value)).ok();
        assert_eq!(format("application/json"), Some(Format::Json));
        assert_eq!(format("Application/JSON; charset=\"UTF-8\""), Some(Format::Json));
        assert_eq!(format("application/x-ndjson"), Some(Format::Ndjson));
        assert_eq!(format("application/jsonl;charset=utf-8"), Some(Format::Ndjson));
        for charset in ["utf8", "UTF8", "\"utf8\"", "us-ascii", "ASCII", "utf-8; boundary=x"] {
            let value = hyper::header::HeaderValue::from_str(&format!("application/x-ndjson; charset={charset}"));
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.unwrap())]);
            assert_eq!(body_format(&headers).ok(), Some(Format::Ndjson), "{charset}");
        }
        assert_eq!(format("application/json; charset=latin1"), None);
        assert_eq!(format("text/plain"), None);
        assert_eq!(format("application/x-www-form-urlencoded"), None);
        assert_eq!(body_format(&HeaderMap::new()).ok(), Some(Format::Json));
    }

    #[test]
    fn accept_chooses() {
        let lines = |value| preferred_lines(&headers(ACCEPT, value));
        assert_eq!(lines("application/x-ndjson"), Some(LineLayout::Ndjson));
        assert_eq!(lines("application/x-ndjson, */*"), Some(LineLayout::Ndjson));
        assert_eq!(lines("application/json;q=0.5, application/x-ndjson;q=0.9"), Some(LineLayout::Ndjson));
        assert_eq!(lines("Text/CSV"), Some(LineLayout::Csv));
        assert_eq!(lines("text/csv; charset=utf-8, application/x-ndjson;q=0.9, */*;q=0.1"), Some(LineLayout::Csv));
        assert_eq!(lines("text/csv;q=0.5, application/jsonl"), Some(LineLayout::Ndjson));
        assert_eq!(lines("application/json, application/x-ndjson;q=0.9, text/csv;q=0.9"), None);
        assert_eq!(lines("application/x-ndjson;q=0"), None);
        assert_eq!(lines("*/*"), None);
        assert_eq!(lines("text/html"), None);
        assert_eq!(preferred_lines(&HeaderMap::new()), None);
    }
}
