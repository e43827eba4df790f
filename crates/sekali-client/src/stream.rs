//! Any number of events as a stream of NDJSON.

use std::time::Duration;

use bytes::Bytes;

use super::{ClientError, ServerUrl};

/// Time limit for a whole stream.
pub(super) const STREAM_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The longest silence of a server, which may search a large store for few matching events.
const SILENCE_MAX: Duration = Duration::from_secs(5 * 60);

/// The response to a request for events, in pieces.
#[derive(Debug)]
pub struct EventStream {
    pub(super) response: reqwest::Response,
    pub(super) url: ServerUrl,
}

impl EventStream {
    /// Returns the next piece, which may end anywhere in a line, or `None` at the end.
    ///
    /// # Errors
    /// The connection broke off: the received events are not complete.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        match tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|error| ClientError::unreachable(&self.url, &error)),
            Err(_) => Err(ClientError::Unreachable {
                url: self.url.to_string(),
                reason: format!("nothing came for {} s", SILENCE_MAX.as_secs()),
                connected: true,
            }),
        }
    }
}
