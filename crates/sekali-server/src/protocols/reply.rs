//! An answer in a protocol's own words.

use hyper::header::{HeaderName, HeaderValue};

/// An answer: everything that a protocol decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
    /// Headers behind the body, which only HTTP/2 brings to every client.
    pub(crate) trailers: Vec<(HeaderName, HeaderValue)>,
    /// Close the connection instead, without an answer: some clients try again only then.
    pub(crate) hangs_up: bool,
}

const JSON: &str = "application/json";
const CONTENT_TYPE: HeaderName = hyper::header::CONTENT_TYPE;

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), trailers: Vec::new(), hangs_up: false }
    }

    /// A body of this media type. JSON ends with a line break, as all of the server's does.
    pub(crate) fn of(status: u16, media_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let mut body = body.into();
        if media_type == JSON {
            body.push(b'\n');
        }
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(media_type))];
        Self { status, headers, body, ..Self::empty(status) }
    }

    /// A value as JSON.
    pub(crate) fn json(status: u16, value: &impl serde::Serialize) -> Self {
        // Values that are made here can be written.
        Self::of(status, JSON, serde_json::to_vec(value).unwrap_or_default())
    }

    /// No answer at all.
    pub(crate) fn none() -> Self {
        Self { hangs_up: true, ..Self::empty(503) }
    }

    /// The same with a header more.
    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}
