//! Events as a stream of NDJSON, however many there are.

use std::time::Duration;

use bytes::Bytes;

use super::{ClientError, ServerUrl};

/// Longest that a stream may take as a whole.
pub(super) const STREAM_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Longest that a server may send nothing: it may be looking through a large store for the little that is wanted.
const SILENCE_MAX: Duration = Duration::from_secs(5 * 60);

/// The answer to a request for events, piece by piece.
#[derive(Debug)]
pub struct EventStream {
    pub(super) response: reqwest::Response,
    pub(super) url: ServerUrl,
}

impl EventStream {
    /// The next piece, which may end anywhere in a line; `None` when everything was received.
    ///
    /// # Errors
    /// The connection broke off: what was received is not complete.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        match tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| ClientError::unreachable(&self.url, &error)),
            Err(_) => Err(ClientError::Unreachable {
                url: self.url.to_string(),
                reason: format!("nothing came for {} s", SILENCE_MAX.as_secs()),
            }),
        }
    }
}
