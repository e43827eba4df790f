//! Answers in the encoding of the request.

use serde_json::json;

use crate::protocols::{Asked, Refusal, Reply};
use crate::service::ItemResult;

const PROTOBUF: &str = "application/x-protobuf";

/// The answer to a request that was stored. Conflicts count as rejected; what is kept in quarantine
/// is told as a warning, so that no client drops anything for it.
pub(super) fn results(asked: &Asked, results: &[ItemResult]) -> Reply {
    let count = |wanted: fn(&ItemResult) -> bool| results.iter().filter(|result| wanted(result)).count();
    let conflicts = count(|result| matches!(result, ItemResult::Conflict { .. }));
    let quarantined = count(|result| matches!(result, ItemResult::Quarantined(_)));
    let message = match (conflicts, quarantined) {
        (0, 0) => return if is_json(asked) { Reply::json(200, &json!({})) } else { Reply::of(200, PROTOBUF, "") },
        (0, _) => format!("{quarantined} records are no events and were kept in quarantine"),
        (_, 0) => format!("{conflicts} records have a known log.record.uid and other content"),
        _ => format!(
            "{conflicts} records have a known log.record.uid and other content; {quarantined} are no events and were \
             kept in quarantine"
        ),
    };
    if is_json(asked) {
        let partial = json!({"rejectedLogRecords": conflicts.to_string(), "errorMessage": message});
        return Reply::json(200, &json!({"partialSuccess": partial}));
    }
    let mut partial = Vec::new();
    append_number(&mut partial, 1, conflicts as u64);
    append_bytes(&mut partial, 2, message.as_bytes());
    let mut body = Vec::new();
    append_bytes(&mut body, 1, &partial);
    Reply::of(200, PROTOBUF, body)
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

fn append_number(out: &mut Vec<u8>, field: u8, number: u64) {
    out.push(field << 3);
    append_varint(out, number);
}

fn append_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
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
