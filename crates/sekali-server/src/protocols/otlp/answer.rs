//! Answers in the encoding of the request.

use serde_json::json;

use crate::protocols::{Asked, Refusal, Reply};
use crate::service::ItemResult;

const PROTOBUF: &str = "application/x-protobuf";

/// The part of a request that its client is told about.
pub(super) struct Partial {
    rejected: usize,
    message: String,
}

/// The answer to a request that was stored.
pub(super) fn results(asked: &Asked, results: &[ItemResult]) -> Reply {
    match partial(results) {
        None if is_json(asked) => Reply::json(200, &json!({})),
        None => Reply::of(200, PROTOBUF, ""),
        Some(Partial { rejected, message }) if is_json(asked) => {
            let partial = json!({"rejectedLogRecords": rejected.to_string(), "errorMessage": message});
            Reply::json(200, &json!({"partialSuccess": partial}))
        }
        Some(partial) => Reply::of(200, PROTOBUF, partial_protobuf(partial)),
    }
}

/// Conflicts, which count as rejected, and records in quarantine, which are told as a warning, so
/// that no client drops anything for them.
pub(super) fn partial(results: &[ItemResult]) -> Option<Partial> {
    let count = |wanted: fn(&ItemResult) -> bool| results.iter().filter(|result| wanted(result)).count();
    let conflicts = count(|result| matches!(result, ItemResult::Conflict { .. }));
    let quarantined = count(|result| matches!(result, ItemResult::Quarantined(_)));
    let message = match (conflicts, quarantined) {
        (0, 0) => return None,
        (0, _) => format!("{quarantined} records are no events and were kept in quarantine"),
        (_, 0) => format!("{conflicts} records have a known log.record.uid and other content"),
        _ => format!(
            "{conflicts} records have a known log.record.uid and other content; {quarantined} are no events and were \
             kept in quarantine"
        ),
    };
    Some(Partial { rejected: conflicts, message })
}

/// An `ExportLogsServiceResponse` with a partial success.
pub(super) fn partial_protobuf(partial: Partial) -> Vec<u8> {
    let (mut inner, mut body) = (Vec::new(), Vec::new());
    append_number(&mut inner, 1, partial.rejected as u64);
    append_bytes(&mut inner, 2, partial.message.as_bytes());
    append_bytes(&mut body, 1, &inner);
    body
}

/// An error: a `google.rpc.Status`. Clients repeat after 429, 502, 503 and 504 only, and take every
/// other status for final.
pub(super) fn refusal(refusal: &Refusal, asked: Option<&Asked>) -> Reply {
    let status = match refusal.code.status() {
        500 => 503,
        // No client knows it.
        422 => 400,
        408 => 503,
        status => status,
    };
    // The codes of google.rpc.Code.
    let code = match status {
        401 => 16,
        403 => 7,
        404 => 5,
        429 | 413 => 8,
        503 => 14,
        _ => 3,
    };
    let message = format!("{}: {}", refusal.code.as_str(), refusal.message);
    let reply = if asked.is_none_or(is_json) {
        Reply::json(status, &json!({"code": code, "message": message}))
    } else {
        let mut body = Vec::new();
        append_number(&mut body, 1, code);
        append_bytes(&mut body, 2, message.as_bytes());
        Reply::of(status, PROTOBUF, body)
    };
    if status == 401 { reply.with(hyper::header::WWW_AUTHENTICATE, "Bearer") } else { reply }
}

fn is_json(asked: &Asked) -> bool {
    asked.media_type() == "application/json"
}

pub(super) fn append_number(out: &mut Vec<u8>, field: u8, number: u64) {
    out.push(field << 3);
    append_varint(out, number);
}

pub(super) fn append_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    append_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn append_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
