//! Loki's push requests.

use serde_json::json;

use super::otlp::field;
use super::{counted, events, gzip, quarantined, send};
use crate::server::{Answer, TestServer};

const PUSH: &str = "/loki/api/v1/push";

/// A line of python-logging-loki, and a line with structured metadata.
const JSON: &str = r#"{"streams":[{"stream":{"job":"shop","host":"a","level":"info"},"values":[
    ["1761339600123456789","first"],["1761339600123456790","second ünï",{"event_id":"e2","trace":"t"}]]}]}"#;

fn entry(seconds: u8, line: &str, metadata: &[(&str, &str)]) -> Vec<u8> {
    let time = field(1, &[0x08, seconds, 0x10, 7]);
    let pair =
        |(name, value): &(&str, &str)| field(3, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    [time, field(2, line.as_bytes()), metadata.iter().flat_map(pair).collect()].concat()
}

fn request(labels: &str, entries: &[Vec<u8>]) -> Vec<u8> {
    let entries: Vec<u8> = entries.iter().flat_map(|entry| field(2, entry)).collect();
    field(1, &[field(1, labels.as_bytes()), entries].concat())
}

fn snappy(server: &TestServer, message: &[u8]) -> Answer {
    let body = snap::raw::Encoder::new().compress_vec(message).unwrap();
    send(server, PUSH, "application/x-protobuf", body)
}

#[test]
fn lines_in_json_are_stored_once() {
    let server = TestServer::start();
    for encoding in ["identity", "gzip"] {
        let body = if encoding == "gzip" { gzip(JSON.as_bytes()) } else { JSON.as_bytes().to_vec() };
        let request = server.request("POST", PUSH).header("content-type", "application/json; charset=utf-8");
        let answer = request.header("content-encoding", encoding).body(body).send().expect_status(204);
        assert_eq!(answer.body, "");
    }
    server.expect_counts(4, 2, 2, 0);
    let stored = events(&server, "topic=shop");
    assert_eq!((&stored[1]["event_id"], &stored[1]["source"]), (&json!("e2"), &json!("a")));
    let labels = json!({"job": "shop", "host": "a", "level": "info"});
    let attributes = json!({"event_id": "e2", "trace": "t"});
    assert_eq!(stored[1]["payload"], json!({"body": "second ünï", "attributes": attributes, "labels": labels}));
    assert_eq!((&counted(&server, "loki")["declared"], &counted(&server, "loki")["request"]), (&json!(2), &json!(2)));
}

#[test]
fn lines_in_protobuf_are_stored_once() {
    let server = TestServer::start();
    let entries = [entry(1, "one", &[("event_id", "1")]), entry(2, "two", &[("event_id", "2"), ("k", "\"")])];
    let body = request(r#"{app="web", job="blue"}"#, &entries);
    for _ in 0..2 {
        snappy(&server, &body).expect_status(204);
    }
    let packed = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    let named = server.request("POST", "/api/prom/push").header("content-encoding", "snappy");
    named.body(packed).send().expect_status(204);
    server.expect_counts(6, 2, 4, 0);
    let stored = events(&server, "topic=blue");
    assert_eq!(stored[1]["timestamp"], "1970-01-01T00:00:02.000000007Z");
    assert_eq!(stored[1]["payload"]["attributes"], json!({"event_id": "2", "k": "\""}));
}

#[test]
fn a_conflict_in_the_middle_leaves_the_rest_and_is_kept_as_evidence() {
    let server = TestServer::start();
    let entries = |text: &str| [entry(1, "a", &[("event_id", "0")]), entry(1, text, &[("event_id", "1")])];
    snappy(&server, &request("{}", &entries("x"))).expect_status(204);
    let more = [entries("y").to_vec(), vec![entry(1, "z", &[("event_id", "2")])]].concat();
    snappy(&server, &request("{}", &more)).expect_status(204);
    server.expect_counts(5, 3, 2, 1);
    assert_eq!(events(&server, "topic=%24conflicts").len(), 1);
}

#[test]
fn what_loki_would_refuse_is_kept_in_quarantine_since_clients_repeat_or_drop_the_batch() {
    let server = TestServer::start();
    let body = r#"{"streams":[{"stream":{"job":"t"},"values":[["1","ok",{"event_id":"1"}],[1,"number"],["1",2],["1","nested",{"a":{}}],["x"]]},
        {"labels":"{broken","entries":[]}]}"#;
    send(&server, PUSH, "application/json", body).expect_status(204);
    for broken in ["{", "{}", "[]"] {
        send(&server, PUSH, "application/json", broken).expect_status(204);
    }
    snappy(&server, b"\xff\xff").expect_status(204);
    snappy(&server, &request("{broken", &[])).expect_status(204);
    send(&server, PUSH, "application/x-protobuf", b"\x05not snappy".to_vec()).expect_status(204);
    assert_eq!((events(&server, "topic=t").len(), quarantined(&server).len()), (1, 11));
    assert_eq!(counted(&server, "loki")["quarantined"], 11);
}

#[test]
fn half_a_request_stores_no_line() {
    let server = TestServer::start();
    let mut body = request("{}", &[entry(1, "a", &[("event_id", "0")])]);
    body.extend([0x0A, 200, 1]);
    snappy(&server, &body).expect_status(204);
    assert_eq!((events(&server, "").len(), quarantined(&server).len()), (0, 1));
}

#[test]
fn a_length_that_lies_is_not_believed() {
    let server = TestServer::start();
    // Four gigabytes, by its first bytes.
    let bomb = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00];
    send(&server, PUSH, "application/x-protobuf", bomb.to_vec()).expect_status(413);
    let zeros = snap::raw::Encoder::new().compress_vec(&vec![0; 33 << 20]).unwrap();
    send(&server, PUSH, "application/x-protobuf", zeros).expect_status(413);
    server.expect_nothing_stored();
}

#[test]
fn clients_ask_whether_it_is_ready() {
    let server = TestServer::start();
    assert_eq!(server.get("/ready").expect_status(200).body, "ready\n");
}
