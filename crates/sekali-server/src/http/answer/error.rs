//! Errors of the API: a code of the closed set, a message, and details.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::header::{CONNECTION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use sekali_wire::error_code::Code;
use sekali_wire::limits::BATCH_EVENTS_MAX;
use serde::Serialize;
use tracing::error;

use super::{Body, Json};
use crate::ingest::{IngestError, Problem, Rejected};
use crate::limits::{PROBLEMS_LISTED_MAX, TOPICS_MAX};
use crate::protocols::Asked;
use crate::query::QueryError;
use crate::service::CommitError;
use crate::sql::SqlError;

/// The remedy where stored events cannot be read.
const READ_AGAIN: &str = "ask again; if that does not help, the server's log says why, and `sekali verify` checks them";

/// An error that a request is answered with.
#[derive(Debug, Serialize)]
pub(in crate::http) struct ApiError {
    #[serde(serialize_with = "as_text")]
    pub(in crate::http) code: Code,
    pub(in crate::http) message: Cow<'static, str>,
    errors: Vec<Detail>,
    /// The request, for protocols whose clients are answered by what they asked.
    #[serde(skip)]
    pub(in crate::http) asked: Option<Arc<Asked>>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::http) enum Detail {
    /// An event.
    Event(Problem),
    /// A place in the body, or in a statement.
    Place { line: usize, column: usize, reason: String },
    /// A query parameter.
    Parameter { parameter: String, reason: String, allowed: Vec<&'static str> },
}

impl ApiError {
    /// An error without details.
    pub(in crate::http) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), errors: Vec::new(), asked: None }
    }

    /// An error with one detail.
    pub(in crate::http) fn with(code: Code, message: impl Into<Cow<'static, str>>, detail: Detail) -> Self {
        Self { errors: vec![detail], ..Self::new(code, message) }
    }

    /// A fault of ours: logged here, and not explained to the client.
    pub(in crate::http) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        error!(error, "request failed");
        Self::new(Code::Internal, "the server could not do this; its log says why")
    }
}

impl ApiError {
    /// The answer, in JSON.
    pub(in crate::http) fn into_response(self) -> Response<Body> {
        let code = self.code;
        let mut response = Json(self).into_response();
        *response.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(seconds) = code.retry_after_seconds() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code == Code::Unauthenticated {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if code == Code::RequestTimeout {
            // The rest of the body may still come, and must not be taken for a request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The error for a parameter; `allowed` names what could stand there instead.
pub(in crate::http) fn wrong_parameter(parameter: &str, reason: &str, allowed: &[&'static str]) -> ApiError {
    let instead = if allowed.is_empty() { String::new() } else { format!("; allowed: {}", allowed.join(", ")) };
    let message = format!("parameter `{parameter}`: {reason}{instead}");
    let detail =
        Detail::Parameter { parameter: parameter.to_owned(), reason: reason.to_owned(), allowed: allowed.to_vec() };
    ApiError::with(Code::InvalidParameter, message, detail)
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::NotJson { line, column, reason } => {
                let message = format!("the body is not JSON at line {line} column {column}: {reason}");
                Self::with(Code::InvalidJson, message, Detail::Place { line, column, reason })
            }
            IngestError::TooManyEvents => {
                let message = format!("more than {BATCH_EVENTS_MAX} events in one request; send several");
                Self::new(Code::TooLarge, message)
            }
            IngestError::Invalid(rejected) => Self::invalid(rejected),
            IngestError::Forbidden { index, topic } => {
                let message =
                    format!("event {index} is of topic `{topic}`, which this key is not for; nothing was stored");
                let reason = "this key is not for this topic".to_owned();
                let problem = Problem { index, field: "topic".to_owned(), reason, too_large: false };
                Self::with(Code::Forbidden, message, Detail::Event(problem))
            }
        }
    }
}

impl ApiError {
    fn invalid(rejected: Rejected) -> Self {
        let code = if rejected.malformed { Code::InvalidEvent } else { Code::TooLarge };
        let what = if rejected.malformed { "not valid" } else { "too large" };
        let (count, events) = (rejected.events, if rejected.events == 1 { "event is" } else { "events are" });
        let more = match rejected.unlisted {
            0 => String::new(),
            unlisted => format!(" (the first {PROBLEMS_LISTED_MAX} problems are listed, {unlisted} more are not)"),
        };
        let message = format!("{count} {events} {what}, nothing was stored{more}");
        Self { errors: rejected.problems.into_iter().map(Detail::Event).collect(), ..Self::new(code, message) }
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        let (code, message) = match error {
            CommitError::Overloaded => (Code::Overloaded, "too much is waiting; nothing was stored, send it again"),
            CommitError::StorageFull(shortage) => {
                let message = format!("storage is full: {shortage}; nothing was stored, send it again later");
                return Self::new(Code::StorageFull, message);
            }
            CommitError::PartlyStored => {
                (Code::PartlyStored, "some events were stored and others not; sending all again is safe")
            }
            CommitError::StorageFailed => {
                (Code::StorageFailed, "a write to the disk failed and the server ends; sending all again is safe")
            }
            CommitError::TooManyTopics => {
                let message = format!(
                    "too many new topics: a store has at most {TOPICS_MAX}, and a client may make as many as are \
                     free; nothing was stored. Put what differs into event_id, source or payload"
                );
                return Self::new(Code::TooManyTopics, message);
            }
            CommitError::ShuttingDown => (Code::ShuttingDown, "the server is about to end; nothing was stored"),
            CommitError::Unreadable(what) => {
                let message = format!(
                    "a stored event that this is to be compared with cannot be read: {what}; nothing was stored, \
                     {READ_AGAIN}"
                );
                return Self::new(Code::Unreadable, message);
            }
        };
        Self::new(code, message)
    }
}

fn as_text<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Busy | QueryError::AnswersFull => Self::new(Code::Overloaded, error.to_string()),
            QueryError::InvalidCursor => Self::new(Code::InvalidCursor, error.to_string()),
            QueryError::TooManyIntervals(_) => wrong_parameter("interval", &error.to_string(), &[]),
            QueryError::Store(failed @ sekali_store::Error::Unreadable { .. }) => {
                error!(error = &failed as &dyn std::error::Error, "stored events cannot be read");
                Self::new(Code::Unreadable, format!("{failed}: {READ_AGAIN}"))
            }
            QueryError::Store(error) => Self::internal(&error),
            QueryError::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<SqlError> for ApiError {
    fn from(error: SqlError) -> Self {
        let message = error.to_string();
        let code = match error {
            SqlError::Invalid { reason, place } => {
                let place = place.map(|place| Detail::Place { line: place.line, column: place.column, reason });
                return Self { errors: place.into_iter().collect(), ..Self::new(Code::InvalidSql, message) };
            }
            SqlError::Writes(_) | SqlError::NotAllowed(_) => Code::SqlNotAllowed,
            SqlError::Forbidden(_) => Code::Forbidden,
            SqlError::Timeout { .. } => Code::SqlTimeout,
            SqlError::TooMuchMemory | SqlError::TooMuchDisk | SqlError::ValueTooLarge | SqlError::AnswerTooLarge => {
                Code::SqlTooLarge
            }
            // Its client has disconnected.
            SqlError::Gone => Code::Overloaded,
            SqlError::Query(error) => return error.into(),
        };
        Self::new(code, message)
    }
}
