//! The server as a child process.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The real binary, serving `dir`.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sekali");

/// The longest time for the server to start or to exit. Recovery takes well under a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    /// Its standard error.
    log: File,
}

/// A port of 127.0.0.1 that was free a moment ago, below the range of clients' own ports.
pub(crate) fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| rand::random_range(20_000..30_000)).find(free).expect("one is found, or we search on")
}

/// The arguments with which the real binary serves `dir`.
pub(crate) fn serve_args(dir: &Path, port: u16) -> [String; 5] {
    let dir = dir.to_str().expect("a path in UTF-8").to_owned();
    ["serve".to_owned(), "--listen".to_owned(), format!("127.0.0.1:{port}"), "--data-dir".to_owned(), dir]
}

impl Process {
    /// Starts the real binary and waits until it is ready.
    pub(crate) async fn start(dir: &Path, port: u16) -> Self {
        let mut command = Command::new(BINARY);
        command.args(serve_args(dir, port));
        let mut process = Self::spawn(command, port);
        process.wait_until_ready().await;
        process
    }

    /// Starts a process that serves on this port.
    pub(crate) fn spawn(mut command: Command, port: u16) -> Self {
        // Building a client requires this, even if nothing is encrypted.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let log = tempfile::tempfile().unwrap();
        let stderr = log.try_clone().unwrap();
        let child = command.stdout(Stdio::null()).stderr(stderr).spawn().expect("the binary runs");
        Self { child, url: format!("http://127.0.0.1:{port}"), log }
    }

    /// Waits until it is ready. It must not exit before.
    pub(crate) async fn wait_until_ready(&mut self) {
        let ended = self.ready_or_ended().await;
        assert_eq!(ended, None, "the server ended; it said: {}", self.log());
    }

    /// All that it has said.
    pub(crate) fn log(&mut self) -> String {
        let mut said = String::new();
        self.log.rewind().unwrap();
        self.log.read_to_string(&mut said).unwrap();
        said
    }

    /// Waits until it is ready (`None`) or has exited.
    pub(crate) async fn ready_or_ended(&mut self) -> Option<ExitStatus> {
        let (ready, give_up) = (format!("{}/readyz", self.url), Instant::now() + PATIENCE);
        while !matches!(reqwest::get(&ready).await, Ok(answer) if answer.status().is_success()) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            assert!(Instant::now() < give_up, "the server is not ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    /// Waits until it has exited by itself.
    pub(crate) async fn wait_until_ended(&mut self) -> ExitStatus {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < give_up, "the server does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGSTOP: when this returns, no thread runs, though some may be held up in the middle of a
    /// sync.
    pub(crate) async fn freeze(&self) {
        let pid = self.child.id();
        kill_process(Pid::from_child(&self.child), Signal::STOP).unwrap();
        let give_up = Instant::now() + PATIENCE;
        while !threads(pid).iter().all(|state| ['T', 'D', 'Z'].contains(state)) {
            assert!(Instant::now() < give_up, "the server does not stop: {:?}", threads(pid));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// SIGKILL: it cannot write anything more.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited already; there is nothing to do about that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The state of every thread of a process, as in proc(5): `T` stopped, `D` waiting for the disk,
/// `R` running, and so on.
fn threads(pid: u32) -> Vec<char> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    // The name before the state is in parentheses and may contain anything.
    stats.filter_map(|stat| stat.rsplit_once(") ")?.1.chars().next()).collect()
}
