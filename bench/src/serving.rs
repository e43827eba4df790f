//! A `sekali serve` to measure.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Outcome;
use crate::measure::status_bytes;

/// What the server writes before its address.
const LISTENING: &str = "listening on ";

/// The program that serves: the one that was named, or the `sekali` beside this program.
pub(crate) fn program(named: Option<&Path>) -> Outcome<PathBuf> {
    match named {
        Some(path) => Ok(path.to_owned()),
        None => Ok(std::env::current_exe()?.with_file_name("sekali")),
    }
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    /// Starts the server on a free port, and waits until it listens.
    pub(crate) fn start(sekali: &Path, data: &Path) -> Outcome<Self> {
        let mut command = Command::new(sekali);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]).arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| {
            format!("cannot run {}: {error}; build it with cargo build --release", sekali.display())
        })?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let serving = Self { child, url: line.trim_end().trim_start_matches(LISTENING).to_owned() };
        if serving.url.is_empty() { Err("the server ended before it listened; see above".into()) } else { Ok(serving) }
    }

    /// Memory that is in RAM now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        status_bytes(self.child.id(), "VmRSS:")
    }

    /// The most that ever was.
    pub(crate) fn peak_bytes(&self) -> u64 {
        status_bytes(self.child.id(), "VmHWM:")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Its data goes with it; there is nothing to drain.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
