//! Slow clients: handshakes, headers, bodies, responses. The server closes each of them in time.
//!
//! In an ordinary test run they are few, and the time limits are short. In a long run (see
//! `sekali_testkit`) there are hundreds, and the limits are the real ones.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use sekali_testkit::trial::CYCLES_VARIABLE;
use sekali_testkit::{Authority, KeyPairFiles, Trial};
use sekali_tls::ServerTls;
use serde_json::{Value, json};

use crate::server::{TestServer, event};

/// All connections must be gone by then, with the real limits.
const GONE_AFTER: Duration = Duration::from_secs(75);

struct Form {
    /// Of each kind.
    connections: usize,
    timeouts: Timeouts,
    /// The interval at which a client sends or reads a byte.
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
        ..Timeouts::default()
    };
    Form { connections: 20, timeouts, pause: Duration::from_millis(30) }
}

#[test]
fn slow_clients() {
    let mut trial = Trial::begin("slow_clients", 1);
    let form = form();
    let mut gone_ms_max = 0;
    while trial.next_cycle().is_some() {
        let server = TestServer::start_timed(Arc::new(RealDisk), form.timeouts, |_| {});
        // More than all buffers between client and server can hold.
        let payload = json!({"text": "x".repeat(1_000_000)});
        for number in 0..3 {
            let events = (0..20).map(|id| {
                let mut event = event("t", &format!("{number}-{id}"));
                event["payload"] = payload.clone();
                event
            });
            server.publish(&events.collect::<Value>()).expect_status(202);
        }
        // One connection is the test's own, which is kept for its next request.
        gone_ms_max = outlast(&server, &form, &OVER_HTTP, 1).max(gone_ms_max);
        server.publish(&event("t", "after")).expect_status(202);
        server.expect_counts(61, 61, 0, 0);
    }
    conclude(trial, OVER_HTTP.len() * form.connections, gone_ms_max);
}

#[test]
fn slow_handshakes() {
    let mut trial = Trial::begin("slow_handshakes", 1);
    let form = form();
    let files = tempfile::tempdir().unwrap();
    let (tls, trusted) = certificate(files.path());
    let mut gone_ms_max = 0;
    while trial.next_cycle().is_some() {
        let server =
            TestServer::start_timed(Arc::new(RealDisk), form.timeouts, |config| config.tls = Some(tls.clone()));
        gone_ms_max = outlast(&server, &form, &OVER_TLS, 0).max(gone_ms_max);
        let port = server.address().rsplit_once(':').unwrap().1.to_owned();
        let client = reqwest::Client::builder().tls_certs_only([trusted.clone()]).build().unwrap();
        let answer = server.runtime().block_on(client.get(format!("https://localhost:{port}/readyz")).send());
        assert_eq!(answer.unwrap().status(), 200, "nobody else suffers for it");
    }
    conclude(trial, OVER_TLS.len() * form.connections, gone_ms_max);
}

/// The server's certificate, in files in `dir`, and the authority that its clients trust.
fn certificate(dir: &Path) -> (ServerTls, reqwest::Certificate) {
    let authority = Authority::new(dir, "ca");
    let KeyPairFiles { cert, key } = authority.issue("server");
    let trusted = reqwest::Certificate::from_pem(&std::fs::read(&authority.cert).unwrap()).unwrap();
    (ServerTls { cert, key, client_ca: None }, trusted)
}

/// Opens the form's number of connections of each kind, and waits until the server has only
/// `others` left. Returns the time in milliseconds.
fn outlast(server: &TestServer, form: &Form, kinds: &[Kind], others: usize) -> u128 {
    let port = server.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let of_each = |_| kinds.iter().map(|&kind| Client::begin(server, kind));
    let mut clients: Vec<_> = (0..form.connections).flat_map(of_each).collect();
    let begun = Instant::now();
    assert!(open_connections(port) > others, "they are not there: nothing is tested");
    while open_connections(port) > others {
        assert!(begun.elapsed() < GONE_AFTER, "{} are still open", open_connections(port));
        clients.iter_mut().for_each(Client::go_on);
        std::thread::sleep(form.pause);
    }
    begun.elapsed().as_millis()
}

fn conclude(mut trial: Trial, connections: usize, gone_ms_max: u128) {
    trial.note("connections", connections);
    trial.note("open_after_75_s", 0);
    trial.note("gone_after_ms_max", u64::try_from(gone_ms_max).unwrap());
    trial.end();
}

/// The slow part of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Headers,
    Body,
    Answer,
    Handshake,
    /// Its first byte.
    Everything,
}

const OVER_HTTP: [Kind; 3] = [Kind::Headers, Kind::Body, Kind::Answer];
const OVER_TLS: [Kind; 2] = [Kind::Handshake, Kind::Everything];

impl Kind {
    /// The bytes that it sends at once.
    fn beginning(self) -> &'static [u8] {
        match self {
            Self::Headers => b"GET /events HTTP/1.1\r\nhost: localhost\r\nx: ",
            Self::Body => b"POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n",
            Self::Answer => b"GET /events HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n",
            // RFC 8446, 5.1 and 4: a record of 512 bytes with a client hello of 508, whose contents
            // are to follow.
            Self::Handshake => &[22, 3, 1, 2, 0, 1, 0, 1, 252],
            Self::Everything => b"",
        }
    }
}

struct Client {
    kind: Kind,
    stream: TcpStream,
}

impl Client {
    fn begin(server: &TestServer, kind: Kind) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(kind.beginning()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { kind, stream }
    }

    /// Sends one byte more, if the server still accepts it.
    fn go_on(&mut self) {
        let done = match self.kind {
            Kind::Answer => self.stream.read(&mut [0]),
            Kind::Headers | Kind::Body | Kind::Handshake => self.stream.write(b" "),
            Kind::Everything => Ok(0),
        };
        if let Err(error) = done {
            use ErrorKind::{BrokenPipe, ConnectionReset, WouldBlock};
            assert!(matches!(error.kind(), BrokenPipe | ConnectionReset | WouldBlock), "{error}");
        }
    }
}

/// The number of connections to this local port for which the server has a file.
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
