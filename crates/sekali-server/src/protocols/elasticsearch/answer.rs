//! The words of Elasticsearch.

use std::borrow::Cow;

use hyper::header::HeaderName;
use sekali_wire::error_code::Code;
use serde::Serialize;
use serde_json::json;

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

/// The answer about an item.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum About<'a> {
    Taken(Taken<'a>),
    Failed(NotTaken<'a>),
}

/// About a document that is stored, now or before.
#[derive(Debug, Serialize)]
pub(super) struct Taken<'a> {
    #[serde(rename = "_index")]
    index: &'a str,
    #[serde(rename = "_id")]
    id: Cow<'a, str>,
    #[serde(rename = "_version")]
    version: u8,
    result: &'static str,
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(rename = "_seq_no")]
    seq: u64,
    #[serde(rename = "_primary_term")]
    primary_term: u8,
    /// Not in the answer about a single document, which has it as its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
}

#[derive(Debug, Serialize)]
struct Shards {
    total: u8,
    successful: u8,
    failed: u8,
}

/// About a document that is not stored.
#[derive(Debug, Serialize)]
pub(super) struct NotTaken<'a> {
    #[serde(rename = "_index")]
    index: &'a str,
    #[serde(rename = "_id")]
    id: Cow<'a, str>,
    status: u16,
    error: Cause<'a>,
}

#[derive(Debug, Serialize)]
struct Cause<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    reason: Cow<'a, str>,
    index: &'a str,
}

/// The status of an item, and what is said about it.
pub(super) fn item<'a>(item: &'a BulkItem, result: &'a ItemResult) -> (u16, About<'a>) {
    let made_id = || match result {
        ItemResult::Stored { seq } | ItemResult::Duplicate { seq } | ItemResult::Conflict { seq } => {
            format!("seq-{seq}")
        }
        _ => "-".to_owned(),
    };
    let index = item.index.as_str();
    let id = item.id.as_deref().map_or_else(|| Cow::Owned(made_id()), Cow::Borrowed);
    let taken = |id, seq: u64, result: &'static str, status: u16| {
        let shards = Shards { total: 1, successful: 1, failed: 0 };
        let taken = Taken { index, id, version: 1, result, shards, seq, primary_term: 1, status: Some(status) };
        (status, About::Taken(taken))
    };
    let failed = |id, status: u16, kind: &'static str, reason: Cow<'a, str>| {
        (status, About::Failed(NotTaken { index, id, status, error: Cause { kind, reason, index } }))
    };
    match result {
        ItemResult::Stored { seq } => taken(id, *seq, "created", 201),
        ItemResult::Duplicate { seq } => taken(id, *seq, "noop", 200),
        ItemResult::Quarantined(_) => taken(id, 0, "created", 201),
        ItemResult::Conflict { .. } => {
            let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
            failed(id, 409, "version_conflict_engine_exception", reason.into())
        }
        ItemResult::Failed(reason) if matches!(item.operation, Operation::Update | Operation::Delete) => {
            failed(id, 400, "illegal_argument_exception", reason.into())
        }
        ItemResult::Failed(reason) => failed(id, 400, "mapper_parsing_exception", reason.into()),
        ItemResult::Overloaded => {
            let reason = "too much is waiting; nothing was stored, send it again";
            failed(id, 429, "es_rejected_execution_exception", reason.into())
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
