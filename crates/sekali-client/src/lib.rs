#![doc = include_str!("../README.md")]

mod answer;
mod batch;
mod error;
mod events;
mod filter;
mod publisher;
mod retry;
mod secure;
mod stream;
mod tail;
mod url;

pub use answer::{EventsPage, Published, RefusedEvent};
pub use batch::{Batch, Batches, Feed};
pub use error::{ClientError, Refusal};
pub use events::EventsQuery;
pub use filter::EventsFilter;
use publisher::Key;
pub use publisher::{Ending, Progress, Publisher, Tally};
pub use retry::{Backoff, RetryPolicy, retrying};
pub use stream::EventStream;
pub use tail::Tail;
pub use url::ServerUrl;

pub use sekali_tls::ClientTls;
pub use sekali_wire::secret::Secret;

pub use secure::configuration;

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use sekali_tls::trusting_nobody;

/// Time limit for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for a response. The server gives up on a request earlier.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Time limit for a count, for which the server may read the whole store.
const COUNT_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Time for which an idle connection is kept: shorter than the server's, so that no request is sent
/// into a connection that is being closed.
const KEPT_IDLE: Duration = Duration::from_secs(30);

const _: () = assert!(KEPT_IDLE.as_secs() < sekali_wire::limits::IDLE_TIMEOUT.as_secs());

/// A client with a connection pool to one server. Cheap to clone.
///
/// It ignores proxies in environment variables: a publisher connects to the server it was given.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: ServerUrl,
    authorization: Option<HeaderValue>,
}

impl Client {
    /// Creates a client for the server at `url`, without connecting yet.
    ///
    /// # Errors
    /// The files of `tls` are unusable.
    pub fn new(url: &ServerUrl, tls: &ClientTls) -> Result<Self, ClientError> {
        let tls = configuration(url, tls)?.map_or_else(trusting_nobody, Ok)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .pool_idle_timeout(KEPT_IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sekali/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ClientError::Unexpected { url: url.to_string(), what: error.to_string() })?;
        Ok(Self { http, url: url.clone(), authorization: None })
    }

    /// Returns the client with this API key, which it then sends with every request.
    #[must_use]
    pub fn with_key(self, key: Option<&Secret>) -> Self {
        Self { authorization: key.map(authorization), ..self }
    }

    /// The address of the server.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Publishes `body`, a JSON array of events. With `skip_invalid`, valid events are stored
    /// although others are invalid.
    pub async fn publish(&self, body: Bytes, skip_invalid: bool) -> Result<Published, ClientError> {
        let mut url = self.url.join(&["publish"]);
        if skip_invalid {
            url.query_pairs_mut().append_pair("invalid", "skip");
        }
        let request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let (_, answer) = self.send(request).await?;
        self.parse(&answer)
    }

    /// Reads one page of events.
    pub async fn events(&self, query: &EventsQuery) -> Result<EventsPage, ClientError> {
        let mut url = self.url.join(&["events"]);
        query.append_to(&mut url);
        self.page_at(url).await
    }

    /// Reads one page of another list that has events in it, such as `/conflicts`.
    pub async fn page(
        &self,
        path: &[&str],
        filter: &EventsFilter,
        parameters: &[(&str, String)],
    ) -> Result<EventsPage, ClientError> {
        self.page_at(self.question(path, filter, parameters)).await
    }

    async fn page_at(&self, url: reqwest::Url) -> Result<EventsPage, ClientError> {
        let (headers, answer) = self.send(self.http.get(url).header(ACCEPT, "application/json")).await?;
        let next = headers.get("x-next-cursor").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(EventsPage { events: self.parse(&answer)?, next })
    }

    /// Returns the server's response to a question about the events that match, such as
    /// `/events/count`, for which it may read the whole store.
    pub async fn ask(
        &self,
        path: &[&str],
        filter: &EventsFilter,
        parameters: &[(&str, String)],
    ) -> Result<Box<RawValue>, ClientError> {
        let url = self.question(path, filter, parameters);
        let (_, answer) = self.send(self.http.get(url).timeout(COUNT_TIMEOUT)).await?;
        self.parse(&answer)
    }

    fn question(&self, path: &[&str], filter: &EventsFilter, parameters: &[(&str, String)]) -> reqwest::Url {
        let mut url = self.url.join(path);
        filter.append_to(&mut url);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        url
    }

    /// Asks which keys are known, topics with event ids, of which there are at most 100,000.
    pub(crate) async fn exists(&self, keys: &[Key]) -> Result<Vec<bool>, ClientError> {
        #[derive(serde::Deserialize)]
        struct Known {
            exists: Vec<bool>,
        }
        let unexpected = |what: String| ClientError::Unexpected { url: self.url.to_string(), what };
        let body = serde_json::to_vec(keys).map_err(|error| unexpected(error.to_string()))?;
        let request = self.http.post(self.url.join(&["exists"])).header(CONTENT_TYPE, "application/json").body(body);
        let (_, answer) = self.send(request).await?;
        let Known { exists } = self.parse(&answer)?;
        if exists.len() == keys.len() {
            Ok(exists)
        } else {
            Err(unexpected(format!("the answer is about {} keys of {}", exists.len(), keys.len())))
        }
    }

    /// Reads all events that are stored now and match the filter, as a stream of NDJSON, oldest
    /// first.
    pub async fn stream(&self, filter: &EventsFilter) -> Result<EventStream, ClientError> {
        let mut url = self.url.join(&["events"]);
        filter.append_to(&mut url);
        let request = self.http.get(url).header(ACCEPT, "application/x-ndjson").timeout(stream::STREAM_TIMEOUT);
        let response = self.response(request).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/x-ndjson")) {
            let what = "the answer is not the stream of events that a Sekali server sends".to_owned();
            return Err(ClientError::Unexpected { url: self.url.to_string(), what });
        }
        Ok(EventStream { response, url: self.url.clone() })
    }

    /// Returns the server's response with the number of matching events; over time if there is an
    /// `interval`.
    pub async fn count(&self, filter: &EventsFilter, interval: Option<&str>) -> Result<Box<RawValue>, ClientError> {
        let interval: Vec<_> = interval.map(|interval| ("interval", interval.to_owned())).into_iter().collect();
        self.ask(&["events", "count"], filter, &interval).await
    }

    /// Returns the server's answer to a statement of SQL, as `json`, `ndjson` or `csv`.
    pub async fn sql(&self, statement: String, format: &str, within: Option<&str>) -> Result<Bytes, ClientError> {
        let mut url = self.url.join(&["sql"]);
        url.query_pairs_mut().append_pair("format", format).extend_pairs(within.map(|within| ("within", within)));
        let request = self.http.post(url).header(CONTENT_TYPE, "application/sql").body(statement);
        let (_, answer) = self.send(request.timeout(COUNT_TIMEOUT)).await?;
        Ok(answer)
    }

    /// Returns the server's response with its counters.
    pub async fn stats(&self) -> Result<Box<RawValue>, ClientError> {
        let (_, answer) = self.send(self.http.get(self.url.join(&["stats"]))).await?;
        self.parse(&answer)
    }

    /// Returns the server's response with the topics.
    pub async fn topics(&self) -> Result<Box<RawValue>, ClientError> {
        let (_, answer) = self.send(self.http.get(self.url.join(&["topics"]))).await?;
        self.parse(&answer)
    }

    /// Asks once whether the server accepts requests. Returns its status.
    pub async fn ready(&self, timeout: Duration) -> Result<Box<RawValue>, ClientError> {
        let request = self.http.get(self.url.join(&["readyz"])).timeout(timeout);
        let (_, answer) = self.send(request).await?;
        self.parse(&answer)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<(HeaderMap, Bytes), ClientError> {
        let response = self.response(request).await?;
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(|error| ClientError::unreachable(&self.url, &error))?;
        Ok((headers, body))
    }

    /// Sends a request. Any response except success is an error.
    async fn response(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, ClientError> {
        let unreachable = |error: reqwest::Error| ClientError::unreachable(&self.url, &error);
        let request = match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        };
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(unreachable)?;
        Err(ClientError::of_answer(&self.url, status, &headers, &body))
    }

    fn parse<'a, T: serde::Deserialize<'a>>(&self, answer: &'a [u8]) -> Result<T, ClientError> {
        serde_json::from_slice(answer).map_err(|error| ClientError::Unexpected {
            url: self.url.to_string(),
            what: format!("the answer is not what a Sekali server says ({error})"),
        })
    }
}

/// The header with a key. `Debug` does not show the key.
pub fn authorization(key: &Secret) -> HeaderValue {
    // A key consists of letters, digits and underscores only.
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose())).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}
