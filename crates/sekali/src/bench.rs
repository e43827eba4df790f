//! Measures the rate and latency of a server: a few keep-alive connections, in a closed loop or at
//! a fixed rate.
//!
//! The client does as little as possible while the clock runs: bodies are prepared before, and
//! between two requests only ids are written into them. Connections are plain hyper connections,
//! without pool, redirects or timers.

mod body;
mod compression;
mod connection;
mod ids;
mod numbers;
mod own_server;
mod pace;
mod report;
mod route;

pub use body::{Body, EventText, PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MIN, SOURCE, TIMESTAMP};
pub use compression::Compression;
pub use ids::{IdShape, RunId};
pub(crate) use own_server::LISTENING;
pub use own_server::OwnServer;
pub use report::{BenchReport, LoadReport};

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use connection::{Connection, Measured};
use pace::Pace;
use route::Route;

use sekali_client::ServerUrl;
use sekali_tls::{ClientTls, TlsError};
use sekali_wire::secret::Secret;

/// Options of a load.
#[derive(Debug, Clone)]
pub struct Load {
    /// Time in which new requests are begun.
    pub duration: Duration,
    /// Number of connections, each with one request in flight.
    pub connections: usize,
    /// Events of a request; at least 1.
    pub batch_size: usize,
    /// Fraction of events that repeat a recent one, from 0 to 1.
    pub dup_ratio: f64,
    /// Length of a payload in bytes; at least [`PAYLOAD_BYTES_MIN`].
    pub payload_bytes: usize,
    /// Form of the ids.
    pub ids: IdShape,
    /// Compression of requests.
    pub compression: Compression,
    /// Events per second, above 0, sent whether the server keeps up or not: an open loop. `None` is
    /// a closed loop, in which each connection sends after the previous response. A late request is
    /// sent at once, and its delay counts as latency; otherwise a slow response would hide the
    /// waiting time of the next ones ("coordinated omission").
    pub rate: Option<f64>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(10),
            connections: 8,
            batch_size: 500,
            dup_ratio: 0.2,
            payload_bytes: PAYLOAD_BYTES_DEFAULT,
            ids: IdShape::default(),
            compression: Compression::default(),
            rate: None,
        }
    }
}

impl Load {
    /// Length of an event as JSON.
    pub fn event_bytes(&self) -> usize {
        body::ENVELOPE_BYTES + self.ids.bytes() + self.payload_bytes
    }
}

/// The reason that a run failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No connection at the start.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// The error.
        source: std::io::Error,
    },
    /// The load cannot be measured.
    #[error("cannot keep a histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// The named certificate or key files are unusable.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The server that the run started did not get ready.
    #[error("cannot start a server to measure: {0}")]
    OwnServer(String),
}

/// Puts `load` on the server at `url`, with this key.
pub async fn run(
    url: &ServerUrl,
    tls: &ClientTls,
    key: Option<&Secret>,
    load: &Load,
) -> Result<BenchReport, BenchError> {
    let run = RunId::random();
    let route = Route::new(url, tls)?;
    let mut connections = Vec::with_capacity(load.connections);
    for index in 0..load.connections {
        let body = Body::new(load, run, index as u64);
        connections.push(Connection::open(url, route.clone(), key, body, load.compression).await?);
    }
    let started = Instant::now();
    let until = started + load.duration;
    let connections = connections.into_iter().enumerate();
    let mut tasks: JoinSet<Measured> =
        connections.map(|(index, connection)| connection.run(Pace::new(load, index, started), until)).collect();
    let mut total = Measured::nothing()?;
    while let Some(measured) = tasks.join_next().await {
        match measured {
            Ok(measured) => total.add(&measured),
            Err(_) => total.errors += 1,
        }
    }
    Ok(BenchReport::new(url, load, &total, started.elapsed()))
}
