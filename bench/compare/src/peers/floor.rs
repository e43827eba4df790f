//! The floor: [`crate::servers::floor`].

use std::fs;
use std::path::PathBuf;

use sekali::bench::Load;
use sekali_client::ServerUrl;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::http;
use crate::peer::{About, Kind, Measured, Peer, Running};
use crate::place::Place;
use crate::process::{Process, bound};
use crate::servers::floor::FILE_NAME;

pub(super) struct Floor;

impl Peer for Floor {
    fn about(&self) -> About {
        About {
            name: "floor",
            what: "the least a durable server must do: validate JSON, append, sync, answer",
            acknowledgement: "the request's bytes are synced to disk; repeats are kept, and nothing can be looked up",
            is_durable: true,
            kind: Kind::Batches,
            shape: super::BATCHES,
        }
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let mut command = bound(&std::env::current_exe()?, None);
        command.arg("serve-floor").arg("--data-dir").arg(&place.data);
        let (process, url) = Process::start_listening("floor", &mut command, &place.scratch)?;
        let file = place.data.join(FILE_NAME);
        Ok(Box::new(Server { url: url.parse()?, runtime: place.runtime(), file, request: (0, 1), _process: process }))
    }
}

struct Server {
    url: ServerUrl,
    runtime: Handle,
    file: PathBuf,
    /// Events and bytes of a request.
    request: (u64, u64),
    _process: Process,
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        Ok("axum, serde_json and tokio".to_owned())
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let events = load.batch_size as u64;
        // A comma or a bracket before each, and a bracket at the end.
        self.request = (events, events * (load.event_bytes() as u64 + 1) + 1);
        http::measure(&self.runtime, &self.url, load)
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        let (events, bytes) = self.request;
        let written = fs::metadata(&self.file)?.len();
        if written % bytes != 0 {
            return Err(format!("{written} bytes are no whole number of requests of {bytes}").into());
        }
        Ok(Some(written / bytes * events))
    }

    fn drops_repeats(&self) -> bool {
        false
    }
}
