//! Clients that take their time: with headers, with bodies, with answers. None is kept for long.
//!
//! In an ordinary test run they are few, and the server has less patience than usual. In a long one (see
//! `sekali_torture`) there are 600, and its limits are the real ones.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use sekali_torture::{CYCLES_VARIABLE, Trial};
use serde_json::{Value, json};

use crate::server::{TestServer, event};

/// All connections must be gone by then, with the real limits.
const GONE_AFTER: Duration = Duration::from_secs(75);

struct Form {
    /// Of each kind.
    connections: usize,
    timeouts: Timeouts,
    /// How often a client sends or takes a byte.
    pause: Duration,
}

fn form() -> Form {
    if std::env::var_os(CYCLES_VARIABLE).is_some() {
        return Form { connections: 200, timeouts: Timeouts::default(), pause: Duration::from_secs(1) };
    }
    let timeouts = Timeouts {
        headers: Duration::from_millis(400),
        body: Duration::from_millis(400),
        answer: Duration::from_millis(800),
        idle: Duration::from_millis(1_200),
        check_interval: Duration::from_millis(50),
    };
    Form { connections: 20, timeouts, pause: Duration::from_millis(30) }
}

#[test]
fn slow_clients() {
    let mut trial = Trial::begin("slow_clients", 1);
    let form = form();
    let mut gone_ms_max = 0;
    while trial.next_cycle().is_some() {
        let server = TestServer::start_with(Arc::new(RealDisk), |config| config.timeouts = form.timeouts);
        // More than all buffers between here and there can hold.
        let payload = json!({"text": "x".repeat(1_000_000)});
        for number in 0..3 {
            let events = (0..20).map(|id| {
                let mut event = event("t", &format!("{number}-{id}"));
                event["payload"] = payload.clone();
                event
            });
            server.publish(&events.collect::<Value>()).expect_status(202);
        }
        let port = server.address().rsplit_once(':').unwrap().1.parse().unwrap();
        let mut clients: Vec<_> =
            (0..form.connections).flat_map(|_| KINDS).map(|kind| Client::begin(&server, kind)).collect();
        let begun = Instant::now();
        assert!(open_connections(port) > 1, "they are not there: nothing is tested");
        // One connection is the test's own, which is kept for its next request.
        while open_connections(port) > 1 {
            assert!(begun.elapsed() < GONE_AFTER, "{} are still open", open_connections(port));
            clients.iter_mut().for_each(Client::go_on);
            std::thread::sleep(form.pause);
        }
        gone_ms_max = begun.elapsed().as_millis().max(gone_ms_max);
        server.publish(&event("t", "after")).expect_status(202);
        server.expect_counts(61, 61, 0, 0);
    }
    trial.note("connections", 3 * form.connections);
    trial.note("open_after_75_s", 0);
    trial.note("gone_after_ms_max", u64::try_from(gone_ms_max).unwrap());
    trial.end();
}

/// What a client is slow with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Headers,
    Body,
    Answer,
}

const KINDS: [Kind; 3] = [Kind::Headers, Kind::Body, Kind::Answer];

struct Client {
    kind: Kind,
    stream: TcpStream,
}

impl Client {
    fn begin(server: &TestServer, kind: Kind) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let first = match kind {
            Kind::Headers => "GET /events HTTP/1.1\r\nhost: localhost\r\nx: ",
            Kind::Body => "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n",
            Kind::Answer => "GET /events HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n",
        };
        stream.write_all(first.as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { kind, stream }
    }

    /// A byte more, if the server still wants it.
    fn go_on(&mut self) {
        let done = match self.kind {
            Kind::Answer => self.stream.read(&mut [0]),
            Kind::Headers | Kind::Body => self.stream.write(b" "),
        };
        if let Err(error) = done {
            use ErrorKind::{BrokenPipe, ConnectionReset, WouldBlock};
            assert!(matches!(error.kind(), BrokenPipe | ConnectionReset | WouldBlock), "{error}");
        }
    }
}

/// How many connections to this port of this machine the server has a file for.
fn open_connections(port: u16) -> usize {
    const LISTENING: &str = "0A";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let is_open = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (local, state, inode) = (fields[1], fields[3], fields[9]);
        local.ends_with(&format!(":{port:04X}")) && state != LISTENING && inode != "0"
    };
    table.lines().skip(1).filter(is_open).count()
}
