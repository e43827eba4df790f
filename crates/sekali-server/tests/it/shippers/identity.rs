//! Ids of events that have none: repeats are known, and equal events that are no repeats are kept.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::json;

use super::{counted, events, send};
use crate::server::TestServer;

const NDJSON: &str = "application/x-ndjson";
/// Two times in microseconds: a request with them can only be a repeat if it comes again.
const FINE: &str = "{\"time\":\"2025-10-24T21:00:00.123456Z\"}\n{\"time\":\"2025-10-24T21:00:00.123457Z\"}\n";
/// A clock of seconds.
const COARSE: &str = "{\"time\":\"2025-10-24T21:00:00Z\",\"m\":\"tick\"}\n";

/// A connection that sends requests by hand.
struct Client(TcpStream);

impl Client {
    fn connect(server: &TestServer) -> Self {
        Self(TcpStream::connect(server.address()).unwrap())
    }

    fn send(&mut self, body: &str) {
        let head = format!(
            "POST /ingest HTTP/1.1\r\nhost: localhost\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all((head + body).as_bytes()).unwrap();
    }

    /// Waits for the answer without taking it.
    fn wait(&mut self) {
        assert!(self.0.peek(&mut [0]).unwrap() > 0);
    }

    fn receive(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("\"errors\":[]}") {
            let mut piece = [0; 1_024];
            let len = self.0.read(&mut piece).unwrap();
            assert!(len > 0, "{text}");
            text += std::str::from_utf8(&piece[..len]).unwrap();
        }
        text
    }
}

#[test]
fn a_request_with_fine_times_is_stored_once_whoever_sends_it() {
    let server = TestServer::start();
    for _ in 0..3 {
        send(&server, "/ingest", NDJSON, FINE).expect_status(202);
    }
    let other = server.request("POST", "/ingest").header("content-type", NDJSON).header("user-agent", "another");
    other.body(FINE).send().expect_status(202);
    let server = server.restart();
    send(&server, "/ingest", NDJSON, FINE).expect_status(202);
    server.expect_counts(10, 2, 8, 0);
    assert!(events(&server, "")[0]["event_id"].as_str().unwrap().starts_with("r:"));
    assert_eq!(counted(&server, "ingest")["request"], 2);
}

#[test]
fn equal_requests_whose_answers_were_read_are_different_events() {
    let server = TestServer::start();
    for _ in 0..20 {
        send(&server, "/ingest", NDJSON, COARSE).expect_status(202);
    }
    let mut client = Client::connect(&server);
    for _ in 0..5 {
        client.send(COARSE);
        client.receive();
    }
    drop(client);
    server.expect_counts(25, 25, 0, 0);
}

#[test]
fn equal_requests_at_the_same_time_are_different_events() {
    let server = TestServer::start();
    let request = || server.request("POST", "/ingest").header("content-type", NDJSON).body(COARSE);
    let sent: Vec<_> = (0..20).map(|_| request().spawn()).collect();
    sent.into_iter().for_each(|sent| drop(server.runtime().block_on(sent).unwrap().expect_status(202)));
    server.expect_counts(20, 20, 0, 0);
}

#[test]
fn an_answer_that_was_not_read_leaves_a_doubt_that_excuses_one_repeat() {
    let server = TestServer::start();
    let mut client = Client::connect(&server);
    client.send(COARSE);
    client.wait();
    // With unread bytes this is a reset.
    drop(client);
    wait_for_doubt(&server);
    let mut client = Client::connect(&server);
    for stored in [1, 2, 3] {
        client.send(COARSE);
        client.receive();
        assert_eq!(server.get("/stats").json()["unique_processed"], stored);
    }
}

#[test]
fn the_doubt_is_only_about_its_own_sender() {
    let server = TestServer::start();
    let mut client = Client::connect(&server);
    client.send(COARSE);
    client.wait();
    drop(client);
    wait_for_doubt(&server);
    let other = server.request("POST", "/ingest").header("content-type", NDJSON).header("user-agent", "another");
    other.body(COARSE).send().expect_status(202);
    server.expect_counts(2, 2, 0, 0);
}

#[test]
fn what_was_stored_shortly_before_a_start_is_in_doubt() {
    let server = TestServer::start();
    for _ in 0..3 {
        send(&server, "/ingest", NDJSON, COARSE).expect_status(202);
    }
    let server = server.restart();
    for _ in 0..4 {
        send(&server, "/ingest", NDJSON, COARSE).expect_status(202);
    }
    server.expect_counts(7, 4, 3, 0);
}

#[test]
fn events_without_id_and_time_are_stored_each_time_and_counted_apart() {
    let server = TestServer::start();
    for _ in 0..2 {
        send(&server, "/ingest", NDJSON, "{\"m\":1}\n{\"m\":1}\n").expect_status(202);
    }
    let stats = server.get("/stats").json();
    assert_eq!((&stats["unidentified"], &stats["unique_processed"]), (&json!(4), &json!(4)));
    assert!(events(&server, "")[0]["event_id"].as_str().unwrap().starts_with("n:"));
}

#[test]
fn ids_by_content_are_only_given_on_request() {
    let server = TestServer::start();
    for _ in 0..2 {
        send(&server, "/ingest?id=content", NDJSON, "{\"m\":1}\n{\"m\":1}\n{\"m\":2}").expect_status(202);
    }
    server.expect_counts(6, 2, 4, 0);
    assert_eq!(counted(&server, "ingest")["content"], 6);
}

#[test]
fn a_declared_id_never_meets_a_derived_one() {
    let server = TestServer::start();
    send(&server, "/ingest", NDJSON, FINE).expect_status(202);
    let derived = events(&server, "")[0]["event_id"].as_str().unwrap().to_owned();
    let body = json!({"id": derived}).to_string();
    let answer = send(&server, "/ingest?id=/id", NDJSON, body).expect_status(202).json();
    assert_eq!((&answer["stored"], &answer["conflicts"]), (&json!(1), &json!(0)));
}

/// Lets the server see that a connection was reset. It learns that from its system at once, and
/// there is nothing to ask it about.
fn wait_for_doubt(server: &TestServer) {
    for _ in 0..20 {
        let mut probe = Client::connect(server);
        probe.0.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        probe.0.read_to_end(&mut Vec::new()).unwrap();
        let _ = probe.0.shutdown(Shutdown::Both);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
