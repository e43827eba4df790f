//! Media types: how a body is laid out, and how an answer should be.

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

use super::{AnswerFormat, ApiError, Code, JSON};
use crate::ingest::{Format, excerpt};

/// Media type of NDJSON answers.
pub(in crate::http) const NDJSON: &str = "application/x-ndjson";
/// Media type of CSV answers.
pub(in crate::http) const CSV: &str = "text/csv; charset=utf-8; header=present";

/// The media type of Parquet answers.
pub(in crate::http) const PARQUET: &str = "application/vnd.apache.parquet";

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

/// The format that the client would rather have than any other, by its `Accept`.
pub(in crate::http) fn preferred_format(headers: &HeaderMap) -> AnswerFormat {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut json, mut others) = (0, OTHER_FORMATS.map(|format| (0, format)));
    for range in values.flat_map(|value| value.split(',')) {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let (name, quality) = (name.trim(), quality(parameters));
        if ["application/json", "application/*", "*/*"].iter().any(|json| name.eq_ignore_ascii_case(json)) {
            json = json.max(quality);
        }
        for (best, format) in &mut others {
            if is_named(*format, name) {
                *best = quality.max(*best);
            }
        }
    }
    // A client that names one and takes anything else as well means it. Of equals the first counts.
    let best = others.into_iter().rev().max_by_key(|(quality, _)| *quality);
    best.filter(|(quality, _)| *quality > 0 && *quality >= json).map_or(AnswerFormat::Json, |(_, format)| format)
}

const OTHER_FORMATS: [AnswerFormat; 3] = [AnswerFormat::Ndjson, AnswerFormat::Csv, AnswerFormat::Parquet];

fn is_named(format: AnswerFormat, name: &str) -> bool {
    match format {
        AnswerFormat::Json => false,
        AnswerFormat::Ndjson => is_ndjson(name),
        AnswerFormat::Csv => name.eq_ignore_ascii_case("text/csv"),
        AnswerFormat::Parquet => name.eq_ignore_ascii_case(PARQUET),
    }
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
        let format = |value| preferred_format(&headers(ACCEPT, value));
        assert_eq!(format("application/x-ndjson"), AnswerFormat::Ndjson);
        assert_eq!(format("application/x-ndjson, */*"), AnswerFormat::Ndjson);
        assert_eq!(format("application/json;q=0.5, application/x-ndjson;q=0.9"), AnswerFormat::Ndjson);
        assert_eq!(format("Text/CSV"), AnswerFormat::Csv);
        assert_eq!(format("text/csv; charset=utf-8, application/x-ndjson;q=0.9, */*;q=0.1"), AnswerFormat::Csv);
        assert_eq!(format("text/csv;q=0.5, application/jsonl"), AnswerFormat::Ndjson);
        assert_eq!(format("application/json, application/x-ndjson;q=0.9, text/csv;q=0.9"), AnswerFormat::Json);
        assert_eq!(format("application/x-ndjson;q=0"), AnswerFormat::Json);
        assert_eq!(format("application/vnd.apache.parquet, */*;q=0.8"), AnswerFormat::Parquet);
        assert_eq!(format("*/*"), AnswerFormat::Json);
        assert_eq!(format("text/html"), AnswerFormat::Json);
        assert_eq!(preferred_format(&HeaderMap::new()), AnswerFormat::Json);
    }
}
