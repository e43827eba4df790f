//! Connections: slow clients, protocols, orderly shutdown.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_server::limits::{BODY_TIMEOUT, CONNECTION_CHECK_INTERVAL, HEADERS_TIMEOUT};
use sekali_server::server::Ended;
use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;

use crate::disk::MoodyDisk;
use crate::server::{TestServer, event};

/// Sends the bytes unchanged, and reads until the server closes the connection.
pub(crate) fn raw(server: &TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read_to_end(stream)
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "still open"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn http2_is_spoken_by_prior_knowledge() {
    let server = TestServer::start();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/publish", server.address());
    let answer = server.runtime().block_on(client.post(url).body(event("t", "1").to_string()).send()).unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (202, reqwest::Version::HTTP_2));
    server.expect_counts(1, 1, 0, 0);
}

#[test]
fn a_refusal_is_seen_by_a_client_that_is_still_sending() {
    let server = TestServer::start();
    // Content-Length alone exceeds the limit, long before the body is sent.
    for more in ["", "expect: 100-continue\r\n"] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let length = 40 << 20;
        write!(stream, "POST /publish HTTP/1.1\r\nhost: localhost\r\n{more}content-length: {length}\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    server.expect_nothing_stored();
}

#[test]
fn clients_that_hold_a_connection_up_are_cut_off() {
    let server = TestServer::start();
    let body = "content-length: 1000\r\n\r\n{\"topic\":";
    let halves = [
        "GET /ev",
        "POST /publish HTTP/1.1\r\nhost: localhost\r\n",
        &format!("POST /publish HTTP/1.1\r\nhost: localhost\r\n{body}"),
    ];
    let begun = Instant::now();
    let streams = halves.map(|half| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(half.as_bytes()).unwrap();
        stream
    });
    let [line, headers, body] = streams.map(read_to_end);
    assert_eq!((line, headers), (String::new(), String::new()));
    assert!(body.starts_with("HTTP/1.1 408") && body.contains("request_timeout"), "{body}");
    let limit = HEADERS_TIMEOUT.max(BODY_TIMEOUT) + CONNECTION_CHECK_INTERVAL + Duration::from_secs(3);
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    server.expect_nothing_stored();
}

#[test]
fn what_was_accepted_is_answered_before_the_end() {
    let disk = Arc::new(MoodyDisk::default());
    let mut server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
    disk.hold_syncs(true);
    let waiting = server.request("POST", "/publish").body(event("t", "1").to_string()).spawn();
    std::thread::sleep(Duration::from_millis(200));
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        disk.hold_syncs(false);
    });
    assert_eq!(server.stop(), Ended::Stopped);
    release.join().unwrap();
    server.runtime().block_on(waiting).unwrap().expect_status(202);
}

#[test]
fn idle_connections_do_not_delay_the_end() {
    let mut server = TestServer::start();
    server.get("/livez").expect_status(200);
    let silent = TcpStream::connect(server.address()).unwrap();
    let mut half = TcpStream::connect(server.address()).unwrap();
    half.write_all(b"GET /liv").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    assert_eq!(server.stop(), Ended::Stopped);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    drop((silent, half));
}

#[test]
fn a_client_that_was_refused_may_finish_sending() {
    let timeouts = Timeouts { headers: Duration::from_millis(300), ..Timeouts::default() };
    let impatient = Timeouts { check_interval: Duration::from_millis(20), ..timeouts };
    let server = TestServer::start_timed(Arc::new(RealDisk), impatient, |_| {});
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "POST /publish?x=1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n").unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 400");
    // Slower than the limit for headers, because this is a body.
    for _ in 0..100 {
        stream.write_all(b" ").unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let answers = read_to_end(stream);
    assert!(answers.contains("invalid_parameter") && answers.contains("HTTP/1.1 200"), "{answers}");
}
