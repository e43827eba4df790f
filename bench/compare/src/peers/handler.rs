//! The bare handler: [`crate::servers::handler`].

use sekali::bench::Load;
use sekali_client::ServerUrl;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::http;
use crate::peer::{About, Kind, Measured, Peer, Running};
use crate::place::Place;
use crate::process::{Process, bound};

pub(super) struct Handler;

impl Peer for Handler {
    fn about(&self) -> About {
        About {
            name: "handler",
            what: "the least an HTTP server must do: take the body, answer",
            acknowledgement: "nothing: the body is thrown away",
            is_durable: false,
            kind: Kind::Single,
            shape: super::SINGLE,
        }
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let mut command = bound(&std::env::current_exe()?, None);
        command.arg("serve-handler");
        let (process, url) = Process::start_listening("handler", &mut command, &place.scratch)?;
        Ok(Box::new(Server { url: url.parse()?, runtime: place.runtime(), _process: process }))
    }
}

struct Server {
    url: ServerUrl,
    runtime: Handle,
    _process: Process,
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        Ok("axum and tokio".to_owned())
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        http::measure(&self.runtime, &self.url, load)
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        Ok(None)
    }

    fn drops_repeats(&self) -> bool {
        false
    }
}
