//! The load of `sekali bench` itself, for peers that speak Sekali's HTTP.

use sekali::bench::{self, Load};
use sekali_client::{Client, ServerUrl};
use sekali_tls::ClientTls;
use serde::Deserialize;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::peer::{Latency, Measured};

/// The common counters of Sekali's servers.
#[derive(Debug, Deserialize)]
pub(crate) struct Stats {
    /// Different events.
    pub(crate) unique_processed: u64,
    /// Repeats.
    pub(crate) duplicate_dropped: u64,
}

/// Puts `load` on the server at `url`.
pub(crate) fn measure(runtime: &Handle, url: &ServerUrl, load: &Load) -> Outcome<Measured> {
    let report = runtime.block_on(bench::run(url, &ClientTls::default(), None, load))?;
    if let Some(error) = &report.last_error {
        crate::say(&format!("{} of the requests to {url} failed, the last with: {error}", report.errors));
    }
    Ok(Measured {
        events: report.received,
        distinct: report.distinct,
        seconds: report.elapsed_seconds,
        events_per_second: report.events_per_second,
        latency_ms: Latency { p50: report.p50_ms, p99: report.p99_ms, p99_9: report.p99_9_ms, max: report.max_ms },
        errors: report.errors,
    })
}

/// The counters of the server at `url`.
pub(crate) fn stats(runtime: &Handle, url: &ServerUrl) -> Outcome<Stats> {
    let stats = runtime.block_on(Client::new(url, &ClientTls::default())?.stats())?;
    Ok(serde_json::from_str(stats.get())?)
}
