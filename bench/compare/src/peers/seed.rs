//! The service that Sekali started from, rebuilt after its description: FastAPI, a queue in memory,
//! and a worker that stores each event in SQLite, in a transaction of its own. See
//! `bench/compare/peers/seed/app.py`.

use std::process::Command;
use std::time::{Duration, Instant};

use sekali::bench::Load;
use sekali_client::ServerUrl;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::http;
use crate::peer::{About, Kind, Measured, Peer, Running, Shape};
use crate::place::Place;
use crate::process::{Process, bound, free_port, output};

/// The longest time for the queue to empty.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) struct Seed;

impl Peer for Seed {
    fn about(&self) -> About {
        About {
            name: "seed",
            what: "FastAPI and SQLite as in the service Sekali set out from: one commit an event",
            acknowledgement: "the event is in a queue in memory and lost if the process ends; the rate is that of storing",
            is_durable: false,
            kind: Kind::Batches,
            shape: Shape { connections: 4, batch_size: 50 },
        }
    }

    fn missing(&self, place: &Place) -> Option<String> {
        let absent = !place.python_program("uvicorn").is_file();
        absent.then(|| "FastAPI and uvicorn are not installed: bench/compare/setup does that".to_owned())
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let port = free_port()?;
        let mut command = bound(&place.python_program("uvicorn"), None);
        command.args(["app:app", "--host", "127.0.0.1", "--port", &port.to_string(), "--log-level", "warning"]);
        command.arg("--app-dir").arg(place.sources.join("peers/seed")).env("DATABASE", place.data.join("dedup.db"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut process = Process::start("seed", &mut command, &place.scratch)?;
        process.wait_for_port(port)?;
        let version =
            "import fastapi, platform; print('FastAPI', fastapi.__version__, 'on Python', platform.python_version())";
        let version = output(Command::new(place.python_program("python")).args(["-c", version]))?;
        let url = format!("127.0.0.1:{port}").parse()?;
        Ok(Box::new(Server { url, runtime: place.runtime(), version, _process: process }))
    }
}

struct Server {
    url: ServerUrl,
    runtime: Handle,
    version: String,
    _process: Process,
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        Ok(self.version.clone())
    }

    /// It acknowledges before it stores, so the time until everything was stored counts.
    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let begun = Instant::now();
        let mut measured = http::measure(&self.runtime, &self.url, load)?;
        loop {
            let stats = http::stats(&self.runtime, &self.url)?;
            if stats.unique_processed + stats.duplicate_dropped >= measured.events {
                break;
            }
            if begun.elapsed() > load.duration + DRAIN_TIMEOUT {
                return Err("the queue of the seed's service does not empty".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        measured.seconds = begun.elapsed().as_secs_f64();
        measured.events_per_second = measured.events as f64 / measured.seconds;
        Ok(measured)
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        Ok(Some(http::stats(&self.runtime, &self.url)?.unique_processed))
    }
}
