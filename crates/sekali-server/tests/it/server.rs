//! A server under test, and its responses.

use std::sync::Arc;
use std::time::Duration;

use expect_test::Expect;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sekali_server::server::{Config, Ended, Internals, Port, Server, StartError};
use sekali_server::timeouts::Timeouts;
use sekali_store::disk::{Disk, RealDisk};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Slow clients are not cut off by time, where they are not under test, or where something else is
/// to protect others from them.
#[cfg(target_os = "linux")]
pub(crate) const PATIENT: Timeouts = {
    let long = Duration::from_secs(600);
    Timeouts {
        headers: long,
        body: long,
        answer: long,
        idle: long,
        check_interval: Duration::from_secs(1),
        tail_heartbeat: long,
        tail_patience: long,
    }
};

/// A server on a free port, with its own directory.
pub(crate) struct TestServer {
    // Dropped before its runtime.
    server: Option<Server>,
    client: reqwest::Client,
    pub(crate) dir: TempDir,
    internals: Internals,
    config: Config,
    runtime: Runtime,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(Arc::new(RealDisk), |_| {})
    }

    /// Starts on a disk, after a change to the settings.
    pub(crate) fn start_with(disk: Arc<dyn Disk>, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_inside(Internals::on(disk), change)
    }

    /// Starts with time limits of its own.
    pub(crate) fn start_timed(disk: Arc<dyn Disk>, timeouts: Timeouts, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_inside(Internals { timeouts, ..Internals::on(disk) }, change)
    }

    /// Starts with other parts than the usual ones, after a change to the settings.
    pub(crate) fn start_inside(internals: Internals, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config =
            Config { listen: "127.0.0.1:0".to_owned(), data_dir: dir.path().join("data"), ..Config::default() };
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start_with(config.clone(), internals.clone())).unwrap();
        // Building a client requires this, even if nothing is encrypted.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        Self { server: Some(server), client, dir, internals, config, runtime }
    }

    /// Stops in order and starts again on the same directory.
    pub(crate) fn restart(mut self) -> Self {
        assert_eq!(self.stop(), Ended::Stopped);
        let started = self.runtime.block_on(Server::start_with(self.config.clone(), self.internals.clone()));
        self.server = Some(started.unwrap());
        self
    }

    /// Stops in order.
    pub(crate) fn stop(&mut self) -> Ended {
        let server = self.server.take().expect("the server runs");
        self.runtime.block_on(server.stop())
    }

    /// Waits until it exits by itself.
    pub(crate) fn wait_for_end(&mut self) -> Ended {
        let server = self.server.take().expect("the server runs");
        self.runtime.block_on(server.run_until(std::future::pending()))
    }

    /// Tries to start another server.
    pub(crate) fn start_other(&self, change: impl FnOnce(&mut Config)) -> Result<Server, StartError> {
        let mut config = self.config.clone();
        change(&mut config);
        self.runtime.block_on(Server::start(config))
    }

    pub(crate) fn address(&self) -> String {
        self.server.as_ref().expect("the server runs").addr().to_string()
    }

    /// The address of a port that a protocol has to itself.
    pub(crate) fn port(&self, port: Port) -> String {
        let mut ports = self.server.as_ref().expect("the server runs").ports();
        ports.find(|(known, _)| *known == port).expect("it was asked for").1.to_string()
    }

    /// Begins a request to another address of the server.
    pub(crate) fn request_at(&self, address: &str, method: &str, path: &str) -> Request<'_> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Request { server: self, builder: self.client.request(method, format!("http://{address}{path}")) }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        let url = format!("http://{}{path}", self.address());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Request { server: self, builder: self.client.request(method, url) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// Publishes JSON.
    pub(crate) fn publish(&self, body: &Value) -> Answer {
        self.request("POST", "/publish").header("content-type", "application/json").body(body.to_string()).send()
    }

    /// The lifetime counters: received, unique, duplicates, conflicts.
    #[track_caller]
    pub(crate) fn expect_counts(&self, received: u64, unique: u64, duplicates: u64, conflicts: u64) -> &Self {
        let stats = self.get("/stats").json();
        let count = |name: &str| stats[name].as_u64().unwrap();
        let counts = (count("received"), count("unique_processed"), count("duplicate_dropped"), count("conflicts"));
        assert_eq!(counts, (received, unique, duplicates, conflicts));
        self
    }

    #[track_caller]
    pub(crate) fn expect_nothing_stored(&self) -> &Self {
        assert_eq!(self.get("/events").json(), json!([]));
        self.expect_counts(0, 0, 0, 0)
    }
}

/// A request under construction.
pub(crate) struct Request<'s> {
    server: &'s TestServer,
    builder: reqwest::RequestBuilder,
}

impl Request<'_> {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self { builder: self.builder.body(body), ..self }
    }

    pub(crate) fn send(self) -> Answer {
        self.server.runtime.block_on(receive(self.builder))
    }

    /// Sends it, and returns the answer with what comes first of its body.
    pub(crate) fn send_for_first_piece(self) -> Answer {
        self.server.runtime.block_on(async {
            let mut response = self.builder.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = response.chunk().await.unwrap().unwrap_or_default();
            Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
        })
    }

    /// Sends it, checks the status and reads the body, for at most so long. `None`: the body has no
    /// end.
    pub(crate) fn send_for(self, time: Duration, check: impl FnOnce(u16)) -> Option<String> {
        self.server.runtime.block_on(async {
            let response = self.builder.send().await.unwrap();
            check(response.status().as_u16());
            let body = tokio::time::timeout(time, response.bytes()).await.ok()?.unwrap();
            Some(String::from_utf8_lossy(&body).into_owned())
        })
    }

    /// Sends it in the background.
    pub(crate) fn spawn(self) -> tokio::task::JoinHandle<Answer> {
        self.server.runtime.spawn(receive(self.builder))
    }
}

async fn receive(builder: reqwest::RequestBuilder) -> Answer {
    let response = builder.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
    if headers.get("content-type").is_some_and(|media| media == "application/json") && !body.is_empty() {
        assert!(body.ends_with("}\n") || body.ends_with("]\n"), "JSON ends with one line break: {body:?}");
        body.pop();
    }
    Answer { status, headers, body }
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Without the line break behind JSON.
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The address of the next page, if there is one. It is relative, so that it is right behind a
    /// proxy with a prefix too.
    #[track_caller]
    pub(crate) fn next_page(&self) -> Option<String> {
        let link = self.header("link")?;
        let address = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
        assert!(!address.starts_with('/') && !address.contains("://"), "{address}");
        assert!(address.ends_with(&format!("after={}", self.header("x-next-cursor").unwrap())), "{address}");
        Some(format!("/{address}"))
    }

    pub(crate) fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get(HeaderName::from_static(name)).map(|value: &HeaderValue| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Compares the status and the whole body, except for values that change from run to run.
    #[track_caller]
    pub(crate) fn expect(self, status: u16, body: &Expect) -> Self {
        let this = self.expect_status(status);
        body.assert_eq(&without_times(&this.body));
        this
    }

    /// Compares the status and the error code. A retryable refusal must have `Retry-After`.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Self {
        let this = self.expect_status(status);
        assert_eq!(this.json()["code"], code, "{}", this.body);
        assert!(this.json()["message"].is_string() && this.json()["errors"].is_array(), "{}", this.body);
        assert_eq!(this.header("retry-after").is_some(), status == 503);
        this
    }
}

/// The text, with values that change from run to run replaced by dots.
fn without_times(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    let names = ["received_at", "uptime_seconds", "unsealed_seconds", "bytes", "log_bytes", "free_bytes", "address"]
        .map(|name| format!("\"{name}\":"));
    while let Some((at, name)) = names.iter().filter_map(|name| Some((rest.find(name)?, name))).min() {
        out.push_str(&rest[..at + name.len()]);
        out.push('…');
        rest = &rest[at + name.len()..];
        rest = &rest[rest.find([',', '}']).unwrap()..];
    }
    out + rest
}

/// A valid event.
pub(crate) fn event(topic: &str, id: &str) -> Value {
    json!({
        "topic": topic,
        "event_id": id,
        "timestamp": "2025-10-24T21:00:00Z",
        "source": "test",
        "payload": {"message": "hello"},
    })
}
