//! Sekali itself, as built and used: over HTTP, with sealing and merging.

use std::thread;

use sekali::bench::Load;
use sekali_client::ServerUrl;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::http;
use crate::peer::{About, Kind, Measured, Peer, Running, Shape};
use crate::place::Place;
use crate::process::{Process, bound};

const ACKNOWLEDGEMENT: &str = "every event is deduplicated against all that were ever stored, and synced to disk";
/// Sekali under one kind of load.
pub(super) struct Sekali {
    name: &'static str,
    what: &'static str,
    kind: Kind,
    shape: Shape,
}

/// Batches, as fast as they are acknowledged.
pub(super) const BATCHES: Sekali = Sekali {
    name: "sekali",
    what: "Sekali: JSON over HTTP, sealing and merging included",
    kind: Kind::Batches,
    shape: super::BATCHES,
};

/// Single events, as fast as they are acknowledged.
pub(super) const SINGLE: Sekali =
    Sekali { name: "sekali-single", what: "Sekali: one event a request", kind: Kind::Single, shape: super::SINGLE };

/// Batches at half the rate that it reached before, after a rest.
pub(super) const HALF_LOAD: Sekali = Sekali {
    name: "sekali-half",
    what: "Sekali: batches at half of the rate it reached before",
    kind: Kind::HalfLoad,
    shape: super::BATCHES,
};

impl Peer for Sekali {
    fn about(&self) -> About {
        let Self { name, what, kind, shape } = *self;
        About { name, what, acknowledgement: ACKNOWLEDGEMENT, is_durable: true, kind, shape }
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let server = Server::start(place)?;
        Ok(match self.kind {
            Kind::HalfLoad => Box::new(AtHalf { server, distinct_before: 0 }),
            _ => Box::new(server),
        })
    }
}

/// A running server.
struct Server {
    url: ServerUrl,
    runtime: Handle,
    version: String,
    _process: Process,
}

impl Server {
    fn start(place: &Place) -> Outcome<Self> {
        let mut command = bound(&place.sekali, None);
        command.args(["serve", "--announce", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]).arg(&place.data);
        let (process, url) = Process::start_listening("sekali", &mut command, &place.scratch)?;
        let version = crate::process::output(std::process::Command::new(&place.sekali).arg("--version"))?;
        Ok(Self { url: url.parse()?, runtime: place.runtime(), version, _process: process })
    }
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        Ok(self.version.clone())
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        http::measure(&self.runtime, &self.url, load)
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        Ok(Some(http::stats(&self.runtime, &self.url)?.unique_processed))
    }
}

struct AtHalf {
    server: Server,
    /// Events sent to find the rate.
    distinct_before: u64,
}

impl Running for AtHalf {
    fn version(&mut self) -> Outcome<String> {
        self.server.version()
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let search = self.server.measure(load)?;
        self.distinct_before = search.distinct;
        // At half load no work is left over from full load, such as log files to seal and runs to
        // merge.
        thread::sleep(load.duration);
        self.server.measure(&Load { rate: Some(search.events_per_second / 2.0), ..load.clone() })
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        Ok(self.server.held()?.map(|held| held - self.distinct_before))
    }
}
