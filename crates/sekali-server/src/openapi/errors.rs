//! The errors that operations can be answered with.

use std::collections::BTreeMap;

use sekali_wire::error_code::Code;
use serde_json::{Map, Value, json};

use super::RouteFacts;

/// Errors of every request: its name and head.
const OF_ALL: [Code; 3] = [Code::InvalidHost, Code::WrongHost, Code::HeadersTooLarge];
/// Errors of routes that ask for a key.
const OF_GUARDED: [Code; 2] = [Code::Unauthenticated, Code::Forbidden];

/// Groups of errors, as descriptions name them.
const GROUPS: [(&str, &[Code]); 15] = [
    ("query", &[Code::InvalidParameter]),
    ("path", &[Code::InvalidParameter]),
    ("named", &[Code::NotFound]),
    ("cursor", &[Code::InvalidCursor]),
    ("read", &[Code::Overloaded, Code::Unreadable, Code::Internal]),
    ("tail", &[Code::ShuttingDown]),
    (
        "body",
        &[Code::InvalidEncoding, Code::RequestTimeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Overloaded],
    ),
    (
        "small-body",
        &[Code::InvalidEncoding, Code::RequestTimeout, Code::TooLarge, Code::UnsupportedMediaType, Code::Overloaded],
    ),
    ("json", &[Code::InvalidJson]),
    ("events", &[Code::InvalidEvent]),
    (
        "publish",
        &[
            Code::InvalidEvent,
            Code::TooManyTopics,
            Code::Unreadable,
            Code::Overloaded,
            Code::StorageFull,
            Code::PartlyStored,
            Code::StorageFailed,
            Code::ShuttingDown,
            Code::Internal,
        ],
    ),
    ("sql", &[Code::InvalidSql, Code::SqlNotAllowed, Code::SqlTimeout, Code::SqlTooLarge]),
    ("consumer", &[Code::StorageFull, Code::Internal]),
    ("consumers", &[Code::TooManyConsumers]),
    ("ack", &[Code::AckBehind]),
];

/// The errors of a route, by status. Its description names their groups.
pub(super) fn responses(route: &RouteFacts, groups: &[String]) -> Map<String, Value> {
    let guarded = if route.scope.is_some() { &OF_GUARDED[..] } else { &[] };
    let named = GROUPS.iter().filter(|(name, _)| groups.iter().any(|group| group == name));
    let codes = OF_ALL.iter().chain(guarded).chain(named.flat_map(|(_, codes)| *codes));
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let codes = by_status.entry(code.status()).or_default();
        if !codes.contains(code) {
            codes.push(*code);
        }
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), response(status, &codes))).collect()
}

fn response(status: u16, codes: &[Code]) -> Value {
    let names: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    let retry_after = (status == 503).then_some("Retry-After");
    let challenge = (status == 401).then_some("WWW-Authenticate");
    json!({
        "description": names.join(", "),
        "headers": headers(retry_after.into_iter().chain(challenge).chain(["X-Request-Id"])),
        "content": {"application/json": {"schema": {
            "allOf": [{"$ref": "#/components/schemas/Error"}, {"properties": {"code": {"enum": names}}}],
        }}},
    })
}

/// The errors of a protocol that has its own words and statuses for them.
pub(super) fn in_own_words(content: &Value) -> Map<String, Value> {
    let response = |text: &str| json!({"description": text, "headers": headers(["X-Request-Id"]), "content": content});
    let statuses = [("4XX", "Refused, in the words of the protocol"), ("5XX", "Not now: send it again later")];
    statuses.into_iter().map(|(status, text)| (status.to_owned(), response(text))).collect()
}

/// References to headers of answers.
pub(super) fn headers<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    let reference = |name: &str| (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    names.into_iter().map(reference).collect::<Map<_, _>>().into()
}
