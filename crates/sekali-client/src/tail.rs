//! Events as they become durable, for as long as one likes.

mod messages;

use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::value::RawValue;

use self::messages::{Message, Messages};
use super::stream::STREAM_TIMEOUT;
use super::{Backoff, Client, ClientError, EventsFilter, RetryPolicy};

/// The longest silence of a server, which shows each 15 s that it lives.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The events of a live stream. Connects again by itself, and goes on with neither gap nor repeat.
#[derive(Debug)]
pub struct Tail {
    client: Client,
    filter: EventsFilter,
    /// Where it began: `now`, `beginning` or a cursor.
    from: String,
    /// The cursor behind the last message.
    seen: Option<String>,
    policy: RetryPolicy,
    backoff: Backoff,
    open: Option<(reqwest::Response, Messages)>,
}

impl Client {
    /// Reads events that match `filter`, from `now` on, from the `beginning`, or behind a cursor.
    /// A connection that is lost is made again as `policy` says.
    pub fn tail(&self, filter: EventsFilter, from: impl Into<String>, policy: RetryPolicy) -> Tail {
        let (client, backoff) = (self.clone(), Backoff::new(policy));
        Tail { client, filter, from: from.into(), seen: None, policy, backoff, open: None }
    }
}

impl Tail {
    /// Returns the next event, as the server wrote it, once there is one. Calls `on_retry` before
    /// each wait for a server that is away. Dropping the future before it is ready loses nothing.
    ///
    /// # Errors
    /// The server refuses the request, or stays away for too long.
    pub async fn next(
        &mut self,
        mut on_retry: impl FnMut(&ClientError, Duration),
    ) -> Result<Box<RawValue>, ClientError> {
        loop {
            match self.message().await {
                Ok(Some(message)) => {
                    // The server is there, and has something to say.
                    self.backoff = Backoff::new(self.policy);
                    self.seen = message.id.or(self.seen.take());
                    match message.data {
                        Some(event) if message.event.is_none() => return self.client.parse(event.as_bytes()),
                        // It is told that it was too slow, and goes on where it was.
                        Some(_) => self.open = None,
                        None => {}
                    }
                }
                Ok(None) => self.open = None,
                Err(error) if !error.is_retryable() => return Err(error),
                Err(error) => {
                    self.open = None;
                    let wait = self.backoff.wait(Instant::now(), error.retry_after(), rand::random());
                    let Some(wait) = wait else { return Err(error) };
                    on_retry(&error, wait);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// The cursor behind the last event, once the server has said one.
    pub fn cursor(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// The next message; `None` where the one before was the last.
    async fn message(&mut self) -> Result<Option<Message>, ClientError> {
        if self.open.is_none() {
            self.open = Some((self.connect().await?, Messages::default()));
        }
        let Some((response, messages)) = &mut self.open else { return Ok(None) };
        loop {
            if let Some(message) = messages.next() {
                return Ok(Some(message));
            }
            let url = &self.client.url;
            let silent = || self::silent(url.to_string());
            let piece = tokio::time::timeout(SILENCE_MAX, response.chunk()).await.map_err(|_| silent())?;
            match piece.map_err(|error| ClientError::unreachable(url, &error))? {
                Some(piece) => messages.add(&piece),
                // The server is about to end, or the key is no longer in force: a moment, and the
                // next answer says which.
                None => return Err(ended(url.to_string())),
            }
            if messages.is_too_long() {
                let what = "a message is longer than any that a Sekali server sends".to_owned();
                return Err(ClientError::Unexpected { url: url.to_string(), what });
            }
        }
    }

    async fn connect(&self) -> Result<reqwest::Response, ClientError> {
        let mut url = self.client.url.join(&["events", "stream"]);
        self.filter.append_to(&mut url);
        url.query_pairs_mut().append_pair("from", self.seen.as_ref().unwrap_or(&self.from));
        let request = self.client.http.get(url).header(ACCEPT, "text/event-stream").timeout(STREAM_TIMEOUT);
        let request = self.seen.iter().fold(request, |request, seen| request.header("last-event-id", seen));
        let response = self.client.response(request).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("text/event-stream")) {
            let what = "the answer is not the stream of events that a Sekali server sends".to_owned();
            return Err(ClientError::Unexpected { url: self.client.url.to_string(), what });
        }
        Ok(response)
    }
}

fn silent(url: String) -> ClientError {
    let reason = format!("nothing came for {} s", SILENCE_MAX.as_secs());
    ClientError::Unreachable { url, reason, connected: true }
}

fn ended(url: String) -> ClientError {
    ClientError::Unreachable { url, reason: "the server has ended the stream".to_owned(), connected: true }
}
