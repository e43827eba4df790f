//! What the API answers when it cannot do as asked: one closed set of codes.

use std::borrow::Cow;

use axum::http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tracing::error;

use super::json::Json;
use crate::ingest::{Problem, Refusal, Rejected};
use crate::limits::PROBLEMS_LISTED_MAX;
use crate::pipeline::Refused;
use sekali_wire::limits::BATCH_EVENTS_MAX;

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not JSON.
    InvalidJson,
    /// A query parameter or part of the path is unknown, repeated or has no valid value.
    InvalidParameter,
    /// The cursor is damaged, or belongs to another store, order or topic.
    InvalidCursor,
    /// The body is not what its `Content-Encoding` says.
    InvalidEncoding,
    /// There is no valid key in the request, and it takes one.
    Unauthenticated,
    /// The key of the request is not for this.
    Forbidden,
    /// There is no such route or event.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// The body came too slowly.
    RequestTimeout,
    /// The body, compressed or not, the number of events, or an event is too large.
    TooLarge,
    /// What stands before the body is too large.
    HeadersTooLarge,
    /// `Content-Type` or `Content-Encoding` is none the server reads.
    UnsupportedMediaType,
    /// The server does not go by the name that it was asked by.
    WrongHost,
    /// The body is JSON, but something in it is not a valid event.
    InvalidEvent,
    /// A fault of the server.
    Internal,
    /// Too much is in progress.
    Overloaded,
    /// The disk is full.
    StorageFull,
    /// Some partitions have stored their events of the request, others had no space.
    PartlyStored,
    /// A write to the disk failed; the server ends.
    StorageFailed,
    /// The server is about to end.
    ShuttingDown,
}

/// How much of a refused request is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Nothing.
    Nothing,
    /// Perhaps something. Sending the request again is safe and settles it.
    Unknown,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 20] = [
        Self::InvalidJson,
        Self::InvalidParameter,
        Self::InvalidCursor,
        Self::InvalidEncoding,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::TooLarge,
        Self::HeadersTooLarge,
        Self::UnsupportedMediaType,
        Self::WrongHost,
        Self::InvalidEvent,
        Self::Internal,
        Self::Overloaded,
        Self::StorageFull,
        Self::PartlyStored,
        Self::StorageFailed,
        Self::ShuttingDown,
    ];

    /// The code as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidParameter => "invalid_parameter",
            Self::InvalidCursor => "invalid_cursor",
            Self::InvalidEncoding => "invalid_encoding",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::TooLarge => "too_large",
            Self::HeadersTooLarge => "headers_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::WrongHost => "wrong_host",
            Self::InvalidEvent => "invalid_event",
            Self::Internal => "internal",
            Self::Overloaded => "overloaded",
            Self::StorageFull => "storage_full",
            Self::PartlyStored => "partly_stored",
            Self::StorageFailed => "storage_failed",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The HTTP status it is sent with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidJson | Self::InvalidParameter | Self::InvalidCursor | Self::InvalidEncoding => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::InvalidEvent => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded | Self::StorageFull | Self::PartlyStored | Self::StorageFailed | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Whether the same request can succeed later.
    pub fn is_retryable(self) -> bool {
        self.retry_after_seconds().is_some() || self == Self::RequestTimeout
    }

    /// What the answer's `Retry-After` says.
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Overloaded | Self::ShuttingDown => Some(1),
            Self::StorageFull | Self::PartlyStored | Self::StorageFailed => Some(5),
            Self::InvalidJson
            | Self::InvalidParameter
            | Self::InvalidCursor
            | Self::InvalidEncoding
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::TooLarge
            | Self::HeadersTooLarge
            | Self::UnsupportedMediaType
            | Self::WrongHost
            | Self::InvalidEvent
            | Self::Internal => None,
        }
    }

    /// How much of the request is stored.
    pub fn stored_anything(self) -> Stored {
        match self {
            Self::PartlyStored | Self::StorageFailed => Stored::Unknown,
            Self::InvalidJson
            | Self::InvalidParameter
            | Self::InvalidCursor
            | Self::InvalidEncoding
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::TooLarge
            | Self::HeadersTooLarge
            | Self::UnsupportedMediaType
            | Self::WrongHost
            | Self::InvalidEvent
            | Self::Internal
            | Self::Overloaded
            | Self::StorageFull
            | Self::ShuttingDown => Stored::Nothing,
        }
    }
}

/// An answer that is an error.
#[derive(Debug, Serialize)]
pub(super) struct ApiError {
    #[serde(serialize_with = "as_text")]
    pub(super) code: Code,
    message: Cow<'static, str>,
    errors: Vec<Detail>,
}

/// One of the things that are wrong.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Detail {
    /// An event.
    Event(Problem),
    /// A place in the body.
    Place { line: usize, column: usize, reason: String },
    /// A query parameter.
    Parameter { parameter: String, reason: String, allowed: Vec<&'static str> },
}

impl ApiError {
    /// An error without details.
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), errors: Vec::new() }
    }

    /// An error with one detail.
    pub(super) fn with(code: Code, message: impl Into<Cow<'static, str>>, detail: Detail) -> Self {
        Self { errors: vec![detail], ..Self::new(code, message) }
    }

    /// A fault of ours: logged here, and not explained to the client.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        error!(error, "request failed");
        Self::new(Code::Internal, "the server could not do this; its log says why")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = self.code;
        let mut response = (code.status(), Json(self)).into_response();
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

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotJson { line, column, reason } => {
                let message = format!("the body is not JSON: {reason} at line {line} column {column}");
                Self::with(Code::InvalidJson, message, Detail::Place { line, column, reason })
            }
            Refusal::TooManyEvents => {
                let message = format!("more than {BATCH_EVENTS_MAX} events in one request; send several");
                Self::new(Code::TooLarge, message)
            }
            Refusal::Invalid(rejected) => Self::invalid(rejected),
            Refusal::Forbidden { index, topic } => {
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

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let (code, message) = match refused {
            Refused::Overloaded => (Code::Overloaded, "too much is waiting; nothing was stored, send it again"),
            Refused::StorageFull => (Code::StorageFull, "the disk is full; nothing was stored, send it again later"),
            Refused::PartlyStored => {
                (Code::PartlyStored, "some events were stored and others not; sending all again is safe")
            }
            Refused::StorageFailed => {
                (Code::StorageFailed, "a write to the disk failed and the server ends; sending all again is safe")
            }
            Refused::ShuttingDown => (Code::ShuttingDown, "the server is about to end; nothing was stored"),
            Refused::Unreadable => {
                (Code::Internal, "a stored event could not be compared with; nothing was stored, the log says why")
            }
        };
        Self::new(code, message)
    }
}

fn as_text<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}
