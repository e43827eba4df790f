//! The head of a request, as far as protocols look at it.

use std::borrow::Cow;

use hyper::header::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::access::WebhookSecret;

/// The head of a request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// The decoded text of each variable part of the path.
    pub(crate) segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    secret: Option<WebhookSecret>,
}

impl Asked {
    pub(crate) fn new(path: &str, segments: Vec<String>, query: Option<&str>, headers: HeaderMap) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query = query.map(|(name, value)| (decode(name), decode(value))).collect();
        Self { path: path.to_owned(), segments, query, headers, secret: None }
    }

    /// The same, to be signed with this secret.
    pub(crate) fn signed_with(self, secret: Option<WebhookSecret>) -> Self {
        Self { secret, ..self }
    }

    /// The secret that it must be signed with, if it must be.
    pub(super) fn secret(&self) -> Option<&WebhookSecret> {
        self.secret.as_ref()
    }

    /// The value of a query parameter. Those that a protocol does not know are ignored: its clients
    /// send many that mean nothing here.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The media type of the body, in lower case and without parameters; empty if there is none.
    pub(crate) fn media_type(&self) -> String {
        let text = self.header("content-type").unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// A setting of Sekali's own: in the query, or else in a header `X-Sekali-…`.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.query(name).or_else(|| self.header(&format!("x-sekali-{name}")))
    }
}

/// Decodes as HTML forms do: `+` is a space.
fn decode(text: &str) -> String {
    let spaced: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
