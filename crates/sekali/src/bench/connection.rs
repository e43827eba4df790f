//! One connection: send, wait for the answer, send again when it is due.

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

/// Longest latency that is told apart from longer ones, in microseconds.
const LATENCY_US_MAX: u64 = 60_000_000;
/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Wait before a lost connection is opened again.
const RECONNECT_WAIT: Duration = Duration::from_millis(50);
/// Longest that a server's `Retry-After` is heeded.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(1);

/// What was observed.
pub(super) struct Measured {
    /// From the first byte of a request, or from when it was due if the one before took longer than that, to the last
    /// of its answer; in microseconds.
    pub(super) latency_us: Histogram<u64>,
    pub(super) requests: u64,
    pub(super) received: u64,
    /// Events among those that no earlier request had.
    pub(super) distinct: u64,
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) conflicts: u64,
    /// Requests that were not answered 202.
    pub(super) errors: u64,
    /// What the last of them met.
    pub(super) last_error: Option<String>,
    /// Requests that were due in time and never sent, because those before took too long.
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
        // Both have the same bounds, so nothing can be out of them.
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

/// Why a request was not answered 202.
enum Failed {
    /// The server said so; the connection is still good.
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

    /// Sends whenever `pace` says so until the time has come, and waits for the last answer.
    pub(super) async fn run(mut self, mut pace: Pace, until: Instant) -> Measured {
        loop {
            // Compressing is the client's work, so it is done before the clock runs.
            let request = self.request();
            let now = Instant::now();
            let due = pace.due(now);
            if due.max(now) >= until {
                self.count_unsent(&mut pace, now, until);
                return self.measured;
            }
            // Late by the server's fault, it has waited since it was due. A timer that fires late is our own fault.
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

    /// What should have been sent by now has waited so long already, and that counts: otherwise a server that stops
    /// answering would look quick.
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
                // If this fails, so will the next request, which brings us back here.
                if let Ok(sender) = self.route.connect().await {
                    self.sender = sender;
                }
            }
        }
    }
}
