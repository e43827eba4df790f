//! Measuring how fast a server takes events: a closed loop over a few keep-alive connections.
//!
//! What is measured should be the server, so the client does as little as it can while the clock runs: bodies are
//! laid out before, and between two requests only ids are written into them. Connections are hyper's own, without
//! pool, redirects or timers around them.

mod body;
mod connection;
mod own_server;
mod report;
mod route;

pub(crate) use own_server::LISTENING;
pub use own_server::OwnServer;
pub use report::Report;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use body::{Body, Numbers, RunId};
use connection::{Connection, Measured};
use route::Route;

pub use body::{PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MIN};

use crate::client::ServerUrl;
use crate::tls::{ClientTls, TlsError};

/// What to send.
#[derive(Debug, Clone)]
pub struct Load {
    /// How long new requests are begun.
    pub duration: Duration,
    /// How many connections, each with one request at a time.
    pub connections: usize,
    /// Events of a request; at least 1.
    pub batch_size: usize,
    /// Which share of the events repeats a recent one, from 0 to 1.
    pub dup_ratio: f64,
    /// Length of a payload in bytes; at least [`PAYLOAD_BYTES_MIN`].
    pub payload_bytes: usize,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// No connection at the beginning.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The load cannot be measured.
    #[error("cannot keep a histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// There can be no TLS with the files that were named.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The server of our own did not come up.
    #[error("cannot start a server to measure: {0}")]
    OwnServer(String),
}

/// Puts `load` on the server at `url`.
pub async fn run(url: &ServerUrl, tls: &ClientTls, load: &Load) -> Result<Report, BenchError> {
    let run = RunId(rand::random());
    let route = Route::new(url, tls)?;
    let mut connections = Vec::with_capacity(load.connections);
    for index in 0..load.connections {
        let numbers = Numbers::new(index as u64, load.dup_ratio);
        let body = Body::new(load.batch_size, load.payload_bytes, run, numbers);
        connections.push(Connection::open(url, route.clone(), body).await?);
    }
    let started = Instant::now();
    let until = started + load.duration;
    let mut tasks: JoinSet<Measured> = connections.into_iter().map(|connection| connection.run(until)).collect();
    let mut total = Measured::nothing()?;
    while let Some(measured) = tasks.join_next().await {
        match measured {
            Ok(measured) => total.add(&measured),
            Err(_) => total.errors += 1,
        }
    }
    Ok(Report::new(url, load, &total, started.elapsed()))
}
