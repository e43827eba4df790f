//! Errors of requests, by the action that they call for.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio_rustls::rustls;

use super::answer::{ErrorBody, RefusedEvent};
use super::url::ServerUrl;
use sekali_tls::TlsError;
use sekali_wire::escape::escape;

/// The words with which nginx answers plain HTTP on a port for TLS.
const HTTPS_PORT: &[u8] = b"sent to HTTPS port";

/// The error of a request.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, a broken one, or no response in time. The server may have executed the
    /// request.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The server.
        url: String,
        /// The cause.
        reason: String,
        /// Whether there was a connection.
        connected: bool,
    },
    /// The server speaks TLS and was spoken to without, or the other way round.
    #[error("{url} {reason}")]
    OtherScheme {
        /// The server.
        url: String,
        /// The service at this address, and the address to try.
        reason: String,
    },
    /// The server is not trusted, or does not trust the client.
    #[error("no trust between us and {url}: {reason}; see --ca-cert and --client-cert")]
    NoTrust {
        /// The server.
        url: String,
        /// The error of TLS.
        reason: String,
    },
    /// The server cannot execute the request now.
    #[error("{url} is not available: {message}")]
    Unavailable {
        /// The server.
        url: String,
        /// The server's message.
        message: String,
        /// The time of `Retry-After`, if any.
        retry_after: Option<Duration>,
    },
    /// The server refuses this request for good.
    #[error("{0}")]
    Refused(Refusal),
    /// The response is invalid.
    #[error("{url}: {what}")]
    Unexpected {
        /// The server.
        url: String,
        /// The fault of the response.
        what: String,
    },
    /// The named certificate or key files are unusable.
    #[error("{0}")]
    Tls(#[from] TlsError),
}

/// A 4xx response, except those that permit a retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The server's message.
    pub message: String,
    /// The invalid events, if the server names them.
    pub events: Vec<RefusedEvent>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server refused the request: {}", self.message)
    }
}

impl ClientError {
    /// Whether the same request may succeed later. Publishing is idempotent, so a retry is always
    /// safe.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Unavailable { .. })
    }

    /// The time that the server asks the client to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(super) fn unreachable(url: &ServerUrl, error: &reqwest::Error) -> Self {
        let other = |reason| Self::OtherScheme { url: url.to_string(), reason };
        match of_tls(error) {
            Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
                return other(format!("does not speak TLS: try {}", url.with_other_scheme()));
            }
            Some(error) => return Self::NoTrust { url: url.to_string(), reason: error.to_string() },
            None => {}
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            let or_tls = if url.is_https() {
                String::new()
            } else {
                format!(", but perhaps TLS: try {}", url.with_other_scheme())
            };
            return other(format!("does not speak HTTP{or_tls}"));
        }
        // TLS 1.3 refuses a client's certificate after the handshake. If the connection is gone before
        // the request is sent, that reason is lost with it.
        let is_gone = url.is_https() && find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled);
        let reason = match innermost(error).to_string() {
            _ if error.is_timeout() => "no answer in time".to_owned(),
            reason if is_gone => format!("{reason}; if the server asks for certificates of clients, see --client-cert"),
            reason => reason,
        };
        Self::Unreachable { url: url.to_string(), reason, connected: !error.is_connect() }
    }

    pub(super) fn of_answer(url: &ServerUrl, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let url = url.to_string();
        let known = serde_json::from_slice::<ErrorBody>(body).ok();
        let message = match &known {
            Some(body) => escape(&body.message).into_owned(),
            None if body.windows(HTTPS_PORT.len()).any(|words| words == HTTPS_PORT) => {
                format!("{status}: the server speaks TLS on this port: try an address that begins with https://")
            }
            None if status == StatusCode::PAYLOAD_TOO_LARGE => format!(
                "{status}, and not in Sekali's words: a proxy limits bodies; take a smaller --batch-size, or raise its limit \
                 (nginx: client_max_body_size 32m)"
            ),
            None => format!("{status}, and not in Sekali's words: is this the right address?"),
        };
        match status {
            // Besides the server's own codes: network timeouts, and codes of proxies.
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => Self::Unavailable { url, message, retry_after: retry_after(headers) },
            _ if status.is_client_error() => {
                let events = known.map(|body| body.errors).unwrap_or_default();
                Self::Refused(Refusal { status: status.as_u16(), message, events })
            }
            _ => Self::Unexpected { url, what: format!("unexpected answer {message}") },
        }
    }
}

/// Seconds, or a date, which proxies may send.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(jiff::Timestamp::now())).unwrap_or(Duration::ZERO))
}

/// The message of the operating system ("Connection refused") is under several layers of errors.
fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// The error of TLS, if there is one.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    find(error)
}

/// The error of type `E` under several layers of others. Some of these are I/O errors, whose
/// `source` skips the error that they contain.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> ClientError {
        let mut headers = HeaderMap::new();
        headers.extend(retry_after.map(|value| (RETRY_AFTER, value.parse().unwrap())));
        let url = "http://server".parse().unwrap();
        ClientError::of_answer(&url, StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn answers_are_sorted_by_what_to_do() {
        let body = r#"{"code":"overloaded","message":"queue is full"}"#;
        let overloaded = answer(503, Some("7"), body);
        assert!(overloaded.is_retryable());
        assert_eq!(overloaded.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(overloaded.to_string(), "http://server is not available: queue is full");
        for status in [408, 429, 502, 504] {
            assert!(answer(status, None, "<html>").is_retryable(), "{status}");
        }
        for status in [400, 404, 413, 422] {
            assert!(!answer(status, Some("1"), "").is_retryable(), "{status}");
        }
        assert!(!answer(500, None, "").is_retryable());
    }

    #[test]
    fn a_date_in_retry_after_is_understood() {
        let past = answer(503, Some("Wed, 21 Oct 2015 07:28:00 GMT"), "");
        assert_eq!(past.retry_after(), Some(Duration::ZERO));
        assert_eq!(answer(503, Some("soon"), "").retry_after(), None);
    }

    #[test]
    fn what_a_server_says_cannot_drive_the_terminal() {
        let error = answer(400, None, "{\"code\":\"x\",\"message\":\"\\u001b[2J\"}");
        assert_eq!(error.to_string(), "the server refused the request: \\u001b[2J");
    }
}
