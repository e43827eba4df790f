//! A `sekali serve` to measure.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ureq::Agent;

use crate::Outcome;
use crate::measure::status_bytes;

/// The text that the server writes before its address.
const LISTENING: &str = "listening on ";

/// The server's program: the named one, or the `sekali` beside this program.
pub(crate) fn program(named: Option<&Path>) -> Outcome<PathBuf> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(std::env::current_exe()?.with_file_name("sekali")),
    }
}

/// A process of our own; killed when dropped.
#[derive(Debug)]
pub(crate) struct Owned(pub(crate) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have exited. If it has not, its data is deleted anyway, so there is nothing to
        // wait for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server, and a client for it.
#[derive(Debug)]
pub(crate) struct Serving {
    process: Owned,
    pub(crate) agent: Agent,
    pub(crate) url: String,
}

impl Serving {
    /// Starts the server on a free port, and waits until it listens.
    pub(crate) fn start(sekali: &Path, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(sekali);
        command.args(["serve", "--announce", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]).arg(data);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| {
            format!("cannot run {}: {error}; build it with cargo build --release", sekali.display())
        })?;
        let (mut process, mut line) = (Owned(child), String::new());
        if let Some(stdout) = process.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let agent = Agent::config_builder().proxy(None).build().into();
        let serving = Self { process, agent, url: line.trim_end().trim_start_matches(LISTENING).to_owned() };
        if serving.url.is_empty() { Err("the server ended before it listened; see above".into()) } else { Ok(serving) }
    }

    /// Its resident memory.
    pub(crate) fn resident_bytes(&self) -> u64 {
        status_bytes(self.process.0.id(), "VmRSS:")
    }

    /// Its peak resident memory.
    pub(crate) fn peak_bytes(&self) -> u64 {
        status_bytes(self.process.0.id(), "VmHWM:")
    }
}
