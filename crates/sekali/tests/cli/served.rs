//! A server that can be killed.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::process::command;

/// A running `sekali serve`, killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    /// Starts it on a free port.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_at("127.0.0.1:0", data_dir)
    }

    pub(crate) fn start_at(listen: &str, data_dir: &Path) -> Self {
        Self::spawn(&mut command(&["serve", "--listen", listen, "--data-dir", data_dir.to_str().unwrap()]))
    }

    /// Starts it with this command line.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::begin(command.stderr(Stdio::null()))
    }

    /// Starts it with this command line, and its log in a file.
    pub(crate) fn spawn_with_log(command: &mut Command, log: &Path) -> Self {
        Self::begin(command.stderr(File::create(log).unwrap()))
    }

    fn begin(command: &mut Command) -> Self {
        let mut child = command.arg("--announce").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Self { child, url }
    }

    /// Its address, in the form of `--listen`.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its port.
    pub(crate) fn port(&self) -> &str {
        self.url.rsplit_once(':').unwrap().1
    }

    /// SIGKILL: it drains, flushes and logs nothing.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until it exits by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
