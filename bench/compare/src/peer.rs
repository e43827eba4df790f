//! What everything that is measured has in common.

use std::time::Duration;

use hdrhistogram::Histogram;
use sekali::bench::Load;
use serde::Serialize;

use crate::Outcome;
use crate::place::Place;

/// Something to measure.
pub(crate) trait Peer {
    /// What is to be said of it.
    fn about(&self) -> About;

    /// What it needs and this machine does not have, if anything.
    fn missing(&self, place: &Place) -> Option<String> {
        let _ = place;
        None
    }

    /// Starts it, empty.
    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>>;
}

/// What is to be said of a peer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct About {
    /// One word, as on the command line.
    pub(crate) name: &'static str,
    /// What it is, in a line.
    pub(crate) what: &'static str,
    /// What one may rely on once it has answered.
    pub(crate) acknowledgement: &'static str,
    /// Whether what it has answered survives a power cut.
    pub(crate) is_durable: bool,
    /// Which figures it is measured for.
    pub(crate) kind: Kind,
    /// What suits it best, as tried on the machine of `bench/results`.
    pub(crate) shape: Shape,
}

/// How many requests at a time, and how large.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    /// Events of a request.
    pub(crate) batch_size: usize,
}

impl Shape {
    /// The load of this shape: 200-byte events in ten topics with random UUIDs, one in five of them a repeat.
    pub(crate) fn load(self, duration: Duration) -> Load {
        Load { duration, connections: self.connections, batch_size: self.batch_size, ..Load::default() }
    }
}

/// A peer that was started. Dropping it ends its processes.
pub(crate) trait Running {
    /// Name and version of what runs.
    fn version(&mut self) -> Outcome<String>;

    /// Puts the load on it.
    fn measure(&mut self, load: &Load) -> Outcome<Measured>;

    /// How many events it holds, counted by itself; none if it holds nothing by its nature.
    fn held(&mut self) -> Outcome<Option<u64>>;

    /// Whether it drops repeats, so that it should hold each event once.
    fn drops_repeats(&self) -> bool {
        true
    }
}

/// Which figures belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Events a second in batches.
    Batches,
    /// Requests a second, of one event each.
    Single,
    /// Time until the answer at half of what it can take.
    HalfLoad,
}

/// What came of a load.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    /// Answered, repeats included.
    pub(crate) events: u64,
    /// Different ones among them, as the load generator counted.
    pub(crate) distinct: u64,
    /// From the first request to the last answer; for a peer that answers before it stores, until all was stored.
    pub(crate) seconds: f64,
    /// Answered events a second.
    pub(crate) events_per_second: f64,
    /// Time from request to answer.
    pub(crate) latency_ms: Latency,
    /// Requests that went wrong. There should be none.
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
