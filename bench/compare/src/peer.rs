//! The interface of a peer: anything that is measured.

use std::time::Duration;

use hdrhistogram::Histogram;
use sekali::bench::Load;
use serde::Serialize;

use crate::Outcome;
use crate::place::Place;

/// A peer to measure.
pub(crate) trait Peer {
    /// Its description.
    fn about(&self) -> About;

    /// The requirement that this machine lacks, if any.
    fn missing(&self, place: &Place) -> Option<String> {
        let _ = place;
        None
    }

    /// Starts it, empty.
    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>>;
}

/// The description of a peer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct About {
    /// Its name on the command line, one word.
    pub(crate) name: &'static str,
    /// A line of description.
    pub(crate) what: &'static str,
    /// The guarantee of its acknowledgement.
    pub(crate) acknowledgement: &'static str,
    /// Whether acknowledged events survive a power cut.
    pub(crate) is_durable: bool,
    /// The figures that it is measured for.
    pub(crate) kind: Kind,
    /// Its best load, found on the machine of `bench/results`.
    pub(crate) shape: Shape,
}

/// The number of requests in flight, and their size.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    /// Events of a request.
    pub(crate) batch_size: usize,
}

impl Shape {
    /// The load of this shape: 200-byte events in ten topics with random UUIDs, one in five of them
    /// a repeat.
    pub(crate) fn load(self, duration: Duration) -> Load {
        Load { duration, connections: self.connections, batch_size: self.batch_size, ..Load::default() }
    }
}

/// A running peer. Dropping it ends its processes.
pub(crate) trait Running {
    /// Name and version of the running program.
    fn version(&mut self) -> Outcome<String>;

    /// Puts the load on the peer.
    fn measure(&mut self, load: &Load) -> Outcome<Measured>;

    /// The number of events that it holds, by its own count; `None` if it stores nothing by design.
    fn held(&mut self) -> Outcome<Option<u64>>;

    /// Whether it drops repeats, so that it should hold each event once.
    fn drops_repeats(&self) -> bool {
        true
    }
}

/// A group of comparable figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Events a second in batches.
    Batches,
    /// Requests a second, of one event each.
    Single,
    /// Time to the response at half of its capacity.
    HalfLoad,
}

/// The result of a load.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// Acknowledged events, repeats included.
    pub(crate) events: u64,
    /// Distinct events among them, as the load generator counted.
    pub(crate) distinct: u64,
    /// From the first request to the last response; for a peer that acknowledges before it stores,
    /// until all was stored.
    pub(crate) seconds: f64,
    /// Acknowledged events a second.
    pub(crate) events_per_second: f64,
    /// Time from request to response.
    pub(crate) latency_ms: Latency,
    /// Failed requests. There should be none.
    pub(crate) errors: u64,
}

/// Quantiles of times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
}

impl Latency {
    /// Of times in nanoseconds.
    pub(crate) fn of_nanoseconds(times: &Histogram<u64>) -> Self {
        let quantile = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
        Self { p50: quantile(0.5), p99: quantile(0.99), p99_9: quantile(0.999), max: quantile(1.0) }
    }
}
