//! Hostile clients against the real binary: it stays small and serves all others.

mod bombs;
mod floods;
mod framing;
mod many;
mod neighbours;
mod no_files;
mod sql;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::process::run;
use crate::served::Served;

/// A server for one test.
struct Victim {
    served: Served,
    _dir: tempfile::TempDir,
}

impl Victim {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { served: Served::start(dir.path()), _dir: dir }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.served.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends the bytes unchanged, and reads until the server closes the connection.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The server may close before it has read everything.
        let _ = stream.write_all(bytes);
        read_to_end(&mut stream)
    }

    /// Another client publishes, and is served.
    #[track_caller]
    fn expect_others_are_served(&self) {
        let seed = rand::random::<u32>().to_string();
        let published = run(&["publish", "--url", &self.served.url, "--count", "200", "--seed", &seed, "--json"]);
        assert_eq!(published.json()["received"], 200);
    }

    fn events_stored(&self) -> u64 {
        run(&["stats", "--url", &self.served.url, "--json"]).json()["unique_processed"].as_u64().unwrap()
    }

    /// The server's memory in bytes: now (`VmRSS`), or its peak (`VmHWM`).
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.served.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

const MIB: u64 = 1024 * 1024;

fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "still open after {:?}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8_lossy(&answer).into_owned()
}
