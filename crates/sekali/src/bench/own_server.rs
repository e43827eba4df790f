//! A server started for the measurement, as a subprocess, so that it shares no threads with the
//! client.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::BenchError;
use sekali_client::ServerUrl;

/// The text that `sekali serve --announce` writes before its address.
pub(crate) const LISTENING: &str = "listening on ";

/// A running server and its data. Both are removed when this is dropped.
#[derive(Debug)]
pub struct OwnServer {
    url: ServerUrl,
    // In order of removal: no process may write to the directory while it is removed.
    _process: Process,
    _data: TemporaryDir,
}

impl OwnServer {
    /// Starts `sekali serve` on a free port, with its data in a new directory below `parent`. It
    /// ends with this process, even if that is killed.
    ///
    /// Blocks until the server listens.
    pub fn start(parent: &Path) -> Result<Self, BenchError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: io::Error| BenchError::OwnServer(format!("{what}: {error}"))
        };
        let data = TemporaryDir::create(parent).map_err(failed("cannot make a directory for its data"))?;
        let program = std::env::current_exe().map_err(failed("cannot find the program"))?;
        let mut process = Command::new(program)
            .args(["serve", "--announce", "--until-stdin-ends", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args(["--log-format", "text", "--data-dir"])
            .arg(&data.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Process)
            .map_err(failed("cannot start the program"))?;
        let mut line = String::new();
        if let Some(stdout) = process.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(failed("cannot read its address"))?;
        }
        let (_, address) = line
            .trim_end()
            .split_once(LISTENING)
            .ok_or_else(|| BenchError::OwnServer("it ended before it listened; its own message is above".to_owned()))?;
        let url = address.parse().map_err(BenchError::OwnServer)?;
        Ok(Self { url, _process: process, _data: data })
    }

    /// Its address.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Its data is removed with it, so there is nothing to drain. It may have exited already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug)]
struct TemporaryDir(PathBuf);

impl TemporaryDir {
    fn create(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("sekali-bench-{}-{:08x}", std::process::id(), rand::random::<u32>()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // A failure to remove the directory does not concern the figures. Its name shows its
        // origin.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
