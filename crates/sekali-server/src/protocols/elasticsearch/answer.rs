//! The words of Elasticsearch.

use hyper::header::HeaderName;
use sekali_wire::error_code::Code;
use serde_json::{Value, json};

use super::action::Operation;
use crate::protocols::{Asked, Refusal, Reply};
use crate::service::ItemResult;

/// Without this header the clients of Elasticsearch take no answer.
const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");

/// A document of a request.
pub(super) struct BulkItem {
    pub(super) operation: Operation,
    pub(super) index: String,
    pub(super) id: Option<String>,
}

/// Adds the headers of every answer.
pub(super) fn branded(reply: Reply) -> Reply {
    reply.with(PRODUCT, "Elasticsearch")
}

/// Whether an item is answered with an error.
pub(super) fn is_error(result: &ItemResult) -> bool {
    matches!(result, ItemResult::Conflict { .. } | ItemResult::Failed(_) | ItemResult::Overloaded)
}

/// The status of an item, and what is said about it.
pub(super) fn item(item: &BulkItem, result: &ItemResult) -> (u16, Value) {
    let made_id = || match result {
        ItemResult::Stored { seq } | ItemResult::Duplicate { seq } | ItemResult::Conflict { seq } => {
            format!("seq-{seq}")
        }
        _ => "-".to_owned(),
    };
    let id = item.id.clone().unwrap_or_else(made_id);
    let taken = |seq: u64, outcome: &str, status: u16| {
        let shards = json!({"total": 1, "successful": 1, "failed": 0});
        let about = json!({
            "_index": item.index, "_id": id, "_version": 1, "result": outcome, "_shards": shards,
            "_seq_no": seq, "_primary_term": 1, "status": status,
        });
        (status, about)
    };
    let failed = |status: u16, kind: &str, reason: &str| {
        let error = json!({"type": kind, "reason": reason, "index": item.index});
        (status, json!({"_index": item.index, "_id": id, "status": status, "error": error}))
    };
    match result {
        ItemResult::Stored { seq } => taken(*seq, "created", 201),
        ItemResult::Duplicate { seq } => taken(*seq, "noop", 200),
        ItemResult::Quarantined(_) => taken(0, "created", 201),
        ItemResult::Conflict { .. } => {
            let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
            failed(409, "version_conflict_engine_exception", &reason)
        }
        ItemResult::Failed(reason) if item.operation.as_str() == "update" || item.operation.as_str() == "delete" => {
            failed(400, "illegal_argument_exception", reason)
        }
        ItemResult::Failed(reason) => failed(400, "mapper_parsing_exception", reason),
        ItemResult::Overloaded => {
            failed(429, "es_rejected_execution_exception", "too much is waiting; nothing was stored, send it again")
        }
    }
}

/// An error of a whole request.
pub(super) fn refusal(refusal: &Refusal, asked: Option<&Asked>) -> Reply {
    let code = refusal.code;
    // rsyslog drops a batch for every status that is answered, and repeats it for ever if none is.
    if code.is_retryable() && asked.is_some_and(is_rsyslog) {
        return Reply::none();
    }
    let kind = match code {
        Code::Unauthenticated | Code::Forbidden => "security_exception",
        Code::Overloaded => "es_rejected_execution_exception",
        Code::InvalidJson | Code::InvalidEvent => "parse_exception",
        Code::TooLarge => "content_too_long_exception",
        Code::StorageFull | Code::StorageFailed | Code::PartlyStored | Code::ShuttingDown | Code::Internal => {
            "cluster_block_exception"
        }
        _ => "illegal_argument_exception",
    };
    let cause = json!({"type": kind, "reason": refusal.message});
    let error = json!({"root_cause": [cause], "type": kind, "reason": refusal.message, "code": code.as_str()});
    let status = code.status();
    let reply = branded(Reply::json(status, &json!({"error": error, "status": status})));
    let challenge = "Basic realm=\"sekali\", ApiKey, Bearer";
    if status == 401 { reply.with(hyper::header::WWW_AUTHENTICATE, challenge) } else { reply }
}

/// rsyslog's output module names itself nowhere, and is known by its `Content-Type`.
pub(super) fn is_rsyslog(asked: &Asked) -> bool {
    asked.header("user-agent").is_none()
        && asked.header("content-type").is_some_and(|text| text.eq_ignore_ascii_case("application/json; charset=utf-8"))
}
