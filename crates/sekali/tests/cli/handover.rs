//! Restarts that refuse nobody: clients that never try again publish without a pause meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{command, run};
use crate::served::Served;

fn serve(listen: &str, data: &Path, more: &[&str]) -> Command {
    let mut command = command(&["serve", "--listen", listen, "--data-dir", data.to_str().unwrap()]);
    command.args(more);
    command
}

/// Clients that publish without a pause and never try anything again.
struct Load {
    ended: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<BTreeSet<String>>>,
}

impl Load {
    /// Half of them keep their connection for as long as the server does; the others make one for
    /// each request.
    fn begin(address: &str) -> Self {
        let (ended, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |number: usize| {
            let (address, ended, answered) = (address.to_owned(), Arc::clone(&ended), Arc::clone(&answered));
            std::thread::spawn(move || publish(&address, number, &ended, &answered))
        };
        let clients = (0..6).map(client).collect();
        Self { ended, answered, clients }
    }

    /// Waits until so many more requests were answered.
    fn go_on(&self, requests: usize) {
        let (before, deadline) = (self.answered.load(Ordering::Relaxed), Instant::now() + Duration::from_secs(60));
        while self.answered.load(Ordering::Relaxed) < before + requests {
            assert!(self.clients.iter().all(|client| !client.is_finished()), "a client was refused");
            assert!(Instant::now() < deadline, "nothing is answered any more");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The ids of all events that were sent, each with an answer.
    fn end(self) -> BTreeSet<String> {
        self.ended.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

fn publish(address: &str, client: usize, ended: &AtomicBool, answered: &AtomicUsize) -> BTreeSet<String> {
    let keeps = client.is_multiple_of(2);
    let mut connection = None;
    let mut sent = BTreeSet::new();
    while !ended.load(Ordering::Relaxed) {
        let stream =
            connection.take().unwrap_or_else(|| TcpStream::connect(address).expect("no connection is refused"));
        let id = format!("{client}-{}", sent.len());
        let event =
            json!({"topic": "t", "event_id": id, "timestamp": "2025-10-24T21:00:00Z", "source": "s", "payload": {}});
        let closes = request(&stream, &event, keeps);
        sent.insert(id);
        answered.fetch_add(1, Ordering::Relaxed);
        connection = Some(stream).filter(|_| keeps && !closes);
    }
    sent
}

/// Sends an event, and returns whether the server closes the connection behind its answer.
fn request(mut stream: &TcpStream, event: &Value, keeps: bool) -> bool {
    let body = event.to_string();
    let connection = if keeps { "keep-alive" } else { "close" };
    let head = format!("POST /publish HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\n");
    let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).expect("a request can be sent");
    let mut reader = BufReader::new(stream);
    let (mut closes, mut length, mut line) = (false, 0, String::new());
    reader.read_line(&mut line).expect("there is an answer");
    assert!(line.starts_with("HTTP/1.1 202"), "{line:?}");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let header = line.trim_end().to_ascii_lowercase();
        closes |= header == "connection: close";
        if let Some(bytes) = header.strip_prefix("content-length: ") {
            length = bytes.parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    closes
}

fn stored(served: &Served) -> BTreeSet<String> {
    let events = run(&["events", "--url", &served.url]).stdout;
    let id = |line| serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned();
    events.lines().map(id).collect()
}

#[test]
fn a_server_that_is_taken_over_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    // There is nothing to take over yet.
    let mut served = Served::spawn(&mut serve("127.0.0.1:0", &data, &["--take-over"]));
    let (url, load) = (served.url.clone(), Load::begin(served.address()));
    for _ in 0..4 {
        load.go_on(50);
        let next = Served::spawn(&mut serve("127.0.0.1:0", &data, &["--take-over"]));
        assert_eq!(next.url, url, "any port means that of the server before");
        assert_eq!(served.wait().code(), Some(0));
        served = next;
    }
    load.go_on(50);
    let sent = load.end();
    assert_eq!(stored(&served), sent);
    served.signal("TERM");
    assert_eq!(served.wait().code(), Some(0));
    assert!(!data.join("handover.sock").exists());
}

/// The server on a socket that this test holds, as a supervisor does.
fn activated(listener: &TcpListener, data: &Path, log: &Path) -> Served {
    let script = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_FDNAMES=sekali.socket LISTEN_PID=$$ exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, env!("CARGO_BIN_EXE_sekali"), "serve", "--listen", "127.0.0.1:1", "--data-dir"])
        .arg(data);
    shell.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
    Served::spawn_with_log(&mut shell, log)
}

#[test]
fn a_server_on_the_socket_of_a_supervisor_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // Connections wait before the first start as well.
    let load = Load::begin(&address);
    let mut served = activated(&listener, &data, &log);
    assert_eq!(served.address(), address, "the supervisor decides on the address");
    for _ in 0..4 {
        load.go_on(50);
        served.signal("TERM");
        assert_eq!(served.wait().code(), Some(0));
        served = activated(&listener, &data, &log);
    }
    load.go_on(50);
    let sent = load.end();
    assert_eq!(stored(&served), sent);
}

/// Asks a server for its sockets, and for the store, as a process does that takes over.
fn ask(data: &Path) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(data.join("handover.sock")).unwrap();
    stream.write_all(b"sekali handover 1\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "sockets main\n");
    reader.get_mut().write_all(b"release\n").unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "released\n");
    reader
}

#[test]
fn a_server_goes_on_if_the_one_that_takes_over_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    let mut served = Served::spawn_with_log(&mut serve("127.0.0.1:0", &data, &[]), &log);
    let load = Load::begin(served.address());
    load.go_on(50);

    // One that finds a mistake in its own settings disturbs nobody.
    let missing = dir.path().join("none.pem");
    let missing = missing.to_str().unwrap();
    let more = ["--take-over", "--tls-cert", missing, "--tls-key", missing];
    let failed = serve("127.0.0.1:0", &data, &more).output().unwrap();
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    load.go_on(50);
    assert!(!fs::read_to_string(&log).unwrap().contains("takes over"));

    // One that ends while it has the store, and one that says why.
    drop(ask(&data));
    load.go_on(50);
    assert!(fs::read_to_string(&log).unwrap().contains("it ended without a word"));
    ask(&data).get_mut().write_all(b"failed the disk is on fire\n").unwrap();
    load.go_on(50);
    assert!(fs::read_to_string(&log).unwrap().contains("the disk is on fire"));

    // The server is whole: it can be told to read keys again, and be taken over.
    served.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !fs::read_to_string(&log).unwrap().contains("nothing to read again") {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    let next = Served::spawn(&mut serve("127.0.0.1:0", &data, &["--take-over"]));
    assert_eq!(served.wait().code(), Some(0));
    let sent = load.end();
    assert_eq!(stored(&next), sent);
}

#[test]
fn a_process_that_speaks_otherwise_gets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let served = Served::spawn(&mut serve("127.0.0.1:0", &data, &[]));
    let mut stream = UnixStream::connect(data.join("handover.sock")).unwrap();
    stream.write_all(b"sekali handover 99\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("failed ") && answer.contains("sekali handover 1"), "{answer}");
    assert_eq!(run(&["health", "--url", &served.url]).code, Some(0));
}
