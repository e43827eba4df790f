//! The server as a child process.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `sekali serve`; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Process {
    /// Starts the server and waits until it is ready.
    pub(crate) async fn start(dir: &Path, port: u16) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_sekali"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        // Whoever asks for a client is asked for this, even if nothing is encrypted.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let mut process = Self { child, url: format!("http://127.0.0.1:{port}") };
        let give_up = Instant::now() + Duration::from_secs(60);
        while !matches!(reqwest::get(format!("{}/readyz", process.url)).await, Ok(answer) if answer.status().is_success())
        {
            assert_eq!(process.child.try_wait().unwrap(), None, "the server ended");
            assert!(Instant::now() < give_up, "the server is not ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        process
    }

    /// SIGKILL: no chance to write anything.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; there is nothing to do about that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
