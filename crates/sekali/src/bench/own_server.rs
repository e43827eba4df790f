//! A server to measure where there is none: a process of its own, so that it shares no threads with the client.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::BenchError;
use sekali_client::ServerUrl;

/// What `sekali serve` writes before its address.
pub(crate) const LISTENING: &str = "listening on ";

/// A running server with data of its own. Both are gone when this is dropped.
#[derive(Debug)]
pub struct OwnServer {
    url: ServerUrl,
    // In the order in which they must go: nothing may write to the directory while it is removed.
    _process: Process,
    _data: TemporaryDir,
}

impl OwnServer {
    /// Starts `sekali serve` on a free port, with its data in a new directory below `parent`. It ends with this process,
    /// however that ends.
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
            .args(["serve", "--until-stdin-ends", "--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"])
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

    /// Where it listens.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }
}

#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Its data goes with it, so there is nothing to drain. If it is gone already, all the better.
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
        // Whoever is told of figures does not want to hear of this; the name says what it was.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
