//! One connection: send, wait for the response, send again when due.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Request, StatusCode};

use super::BenchError;
use super::body::Body;
use super::compression::Compression;
use super::pace::Pace;
use super::route::Route;
use sekali_client::{Published, ServerUrl, authorization};
use sekali_wire::secret::Secret;

/// The longest latency that is recorded exactly, in microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;
/// Time limit for a response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Wait before a lost connection is reopened.
const RECONNECT_WAIT: Duration = Duration::from_millis(50);
/// The longest `Retry-After` that is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(1);

/// Observations of a connection.
pub(super) struct Measured {
    /// Time from the first byte of a request, or from its due time if the previous request was
    /// late, to the last byte of its response; in microseconds.
    pub(super) latency_us: Histogram<u64>,
    pub(super) requests: u64,
    pub(super) received: u64,
    /// Events among them that are not repeats.
    pub(super) distinct: u64,
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) conflicts: u64,
    /// Requests without a 202.
    pub(super) errors: u64,
    /// The error of the last of them.
    pub(super) last_error: Option<String>,
    /// Requests that were due and never sent, because earlier ones took too long.
    pub(super) unsent: u64,
}

impl Measured {
    pub(super) fn nothing() -> Result<Self, BenchError> {
        Ok(Self {
            latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3)?,
            requests: 0,
            received: 0,
            distinct: 0,
            stored: 0,
            duplicates: 0,
            conflicts: 0,
            errors: 0,
            last_error: None,
            unsent: 0,
        })
    }

    pub(super) fn add(&mut self, other: &Self) {
        // Both have the same bounds, so every value fits.
        let _ = self.latency_us.add(&other.latency_us);
        self.requests += other.requests;
        self.received += other.received;
        self.distinct += other.distinct;
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.errors += other.errors;
        self.last_error = other.last_error.clone().or(self.last_error.take());
        self.unsent += other.unsent;
    }

    fn record(&mut self, latency: Duration) {
        self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX));
    }

    fn count(&mut self, latency: Duration, answer: &Published) {
        self.record(latency);
        self.requests += 1;
        self.received += answer.received;
        self.stored += answer.stored;
        self.duplicates += answer.duplicates;
        self.conflicts += answer.conflicts;
    }
}

/// A connection with its own body to send.
pub(super) struct Connection {
    route: Route,
    path: String,
    authorization: Option<HeaderValue>,
    sender: SendRequest<Full<Bytes>>,
    body: Body,
    compression: Compression,
    measured: Measured,
}

/// The reason that a request got no 202.
enum Failed {
    /// The server refused it. The connection is still good.
    Answered { status: StatusCode, retry_after: Duration },
    /// The connection is gone.
    Broken(String),
}

impl Connection {
    pub(super) async fn open(
        url: &ServerUrl,
        route: Route,
        key: Option<&Secret>,
        body: Body,
        compression: Compression,
    ) -> Result<Self, BenchError> {
        let sender = match route.connect().await {
            Ok(sender) => sender,
            Err(source) => return Err(BenchError::Connect { address: url.authority(), source }),
        };
        let (path, authorization, measured) = (url.path_of("publish"), key.map(authorization), Measured::nothing()?);
        Ok(Self { route, path, authorization, sender, body, compression, measured })
    }

    /// Sends when `pace` says so until the end, and waits for the last response.
    pub(super) async fn run(mut self, mut pace: Pace, until: Instant) -> Measured {
        loop {
            // Compression is the client's work, so it happens before the clock runs.
            let request = self.request();
            let now = Instant::now();
            let due = pace.due(now);
            if due.max(now) >= until {
                self.count_unsent(&mut pace, now, until);
                return self.measured;
            }
            // If the server made it late, its latency counts from its due time. A timer that fires
            // late is the client's fault.
            let begun = if due > now {
                tokio::time::sleep_until(due.into()).await;
                Instant::now()
            } else {
                due
            };
            pace.pass();
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.publish(request)).await;
            match answer.unwrap_or_else(|_| Err(Failed::Broken("no answer in time".to_owned()))) {
                Ok(answer) => {
                    self.measured.count(begun.elapsed(), &answer);
                    self.measured.distinct += self.body.new_events();
                }
                Err(failed) => self.recover(failed).await,
            }
            self.body.renew();
        }
    }

    /// Requests that should have been sent by now count with their waiting time. Otherwise a server
    /// that stops responding would look fast.
    fn count_unsent(&mut self, pace: &mut Pace, now: Instant, until: Instant) {
        while pace.due(now) < until {
            self.measured.record(now.saturating_duration_since(pace.due(now)));
            self.measured.unsent += 1;
            pace.pass();
        }
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, Failed> {
        let body = self.compression.compress(self.body.bytes()).map_err(|error| Failed::Broken(error.to_string()))?;
        let request =
            Request::post(&self.path).header(HOST, self.route.address()).header(CONTENT_TYPE, "application/json");
        let encoding = self.compression.name().map(HeaderValue::from_static);
        let more = [(AUTHORIZATION, self.authorization.clone()), (CONTENT_ENCODING, encoding)];
        let mut request = request.body(Full::new(body)).map_err(|error| Failed::Broken(error.to_string()))?;
        request.headers_mut().extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Ok(request)
    }

    async fn publish(&mut self, request: Result<Request<Full<Bytes>>, Failed>) -> Result<Published, Failed> {
        let broken = |error: hyper::Error| Failed::Broken(error.to_string());
        let request = request?;
        self.sender.ready().await.map_err(broken)?;
        let response = self.sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        if head.status != StatusCode::ACCEPTED {
            let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = Duration::from_secs(seconds.unwrap_or(0)).min(RETRY_AFTER_MAX);
            return Err(Failed::Answered { status: head.status, retry_after });
        }
        serde_json::from_slice(&body).map_err(|error| Failed::Broken(error.to_string()))
    }

    async fn recover(&mut self, failed: Failed) {
        self.measured.errors += 1;
        match failed {
            Failed::Answered { status, retry_after } => {
                self.measured.last_error = Some(status.to_string());
                tokio::time::sleep(retry_after).await;
            }
            Failed::Broken(reason) => {
                self.measured.last_error = Some(reason);
                tokio::time::sleep(RECONNECT_WAIT).await;
                // If this fails, the next request fails too and leads back here.
                if let Ok(sender) = self.route.connect().await {
                    self.sender = sender;
                }
            }
        }
    }
}
