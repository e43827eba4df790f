//! OpenTelemetry logs over HTTP.

use expect_test::expect;
use serde_json::{Value, json};

use super::{counted, events, gzip, quarantined, send};
use crate::server::{Answer, TestServer};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
/// Two records, as the Python SDK exports them.
pub(super) const PYTHON: &[u8] = include_bytes!("bodies/otlp_python_1.45.2.bin");

/// A field with bytes: a string or a message.
pub(super) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

pub(super) fn request(records: &[Vec<u8>]) -> Vec<u8> {
    let scope_logs: Vec<u8> = records.iter().flat_map(|record| field(2, record)).collect();
    field(1, &field(2, &scope_logs))
}

pub(super) fn uid(id: &str, text: &str) -> Vec<u8> {
    let value = field(1, id.as_bytes());
    let attribute = [field(1, b"log.record.uid"), field(2, &value)].concat();
    [field(5, &field(1, text.as_bytes())), field(6, &attribute)].concat()
}

fn post(server: &TestServer, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    send(server, "/v1/logs", media_type, body)
}

#[test]
fn what_the_python_sdk_exports_is_stored_once_with_everything_in_it() {
    let server = TestServer::start();
    for encoding in ["identity", "gzip"] {
        let body = if encoding == "gzip" { gzip(PYTHON) } else { PYTHON.to_vec() };
        let request = server.request("POST", "/v1/logs").header("content-type", PROTOBUF);
        let answer = request.header("content-encoding", encoding).body(body).send().expect_status(200);
        assert_eq!((answer.header("content-type"), answer.body.as_str()), (Some(PROTOBUF), ""));
    }
    server.expect_counts(4, 2, 2, 0);
    let stored = events(&server, "topic=shop");
    assert_eq!((&stored[0]["source"], stored.len()), (&json!("a"), 2));
    let payload = &stored[0]["payload"];
    let mut attributes = payload["attributes"].clone();
    attributes.as_object_mut().unwrap().retain(|name, _| !name.starts_with("code."));
    let expected =
        json!({"n": -3, "pi": 3.5, "yes": true, "list": [1, 2], "map": {"k": "v"}, "raw": {"base64": "/wA="}});
    assert_eq!(attributes, expected);
    assert_eq!((&payload["body"], &payload["severity_number"]), (&json!("first"), &json!(9)));
    assert_eq!(payload["resource"], json!({"service.name": "shop", "host.name": "a"}));
    assert_eq!(payload["scope"]["name"], "cart");
    assert_eq!(counted(&server, "otlp")["request"], 4);
}

#[test]
fn json_has_the_same_meaning() {
    let server = TestServer::start();
    let body = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
        "scopeLogs":[{"scope":{"name":"cart","version":"1","unknown":[]},"logRecords":[
        {"timeUnixNano":"1761339600123456789","observedTimeUnixNano":1761339600123456790,"severityNumber":17,"severityText":"ERROR",
         "body":{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"-9007199254740993"}},{"key":"b","value":{"arrayValue":{"values":[{"doubleValue":"NaN"},{"boolValue":false},{}]}}}]}},
         "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","flags":1,"eventName":"paid",
         "attributes":[{"key":"log.record.uid","value":{"stringValue":"u1"}},{"key":"raw","value":{"bytesValue":"/wA="}}]}]}]}]}"#;
    for _ in 0..2 {
        post(&server, JSON, body).expect(200, &expect![["{}"]]);
    }
    server.expect_counts(2, 1, 1, 0);
    server.get("/events").expect(200, &expect![[
        r#"[{"topic":"shop","event_id":"u1","timestamp":"2025-10-24T21:00:00.123456789Z","source":"","payload":{"body":{"a":-9007199254740993,"b":["NaN",false,null]},"severity_number":17,"severity_text":"ERROR","attributes":{"log.record.uid":"u1","raw":{"base64":"/wA="}},"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"eee19b7ec3c1b174","flags":1,"event_name":"paid","observed_time_unix_nano":"1761339600123456790","resource":{"service.name":"shop"},"scope":{"name":"cart","version":"1"}},"seq":1,"received_at":…}]"#
    ]]);
}

#[test]
fn a_conflict_in_the_middle_is_told_as_a_rejected_record() {
    let server = TestServer::start();
    post(&server, PROTOBUF, request(&[uid("1", "a")])).expect_status(200);
    let answer = post(&server, PROTOBUF, request(&[uid("0", "x"), uid("1", "b"), uid("2", "y")])).expect_status(200);
    let message = "1 records have a known log.record.uid and other content";
    let partial = [&[0x08, 1][..], &field(2, message.as_bytes())].concat();
    assert_eq!(answer.body.as_bytes(), field(1, &partial));
    server.expect_counts(4, 3, 1, 1);
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"c"},"attributes":[{"key":"log.record.uid","value":{"stringValue":"1"}}]}]}]}]}"#;
    let answer = post(&server, JSON, body).expect_status(200).json();
    assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "1");
}

#[test]
fn a_record_that_is_too_large_or_too_deep_is_kept_in_quarantine() {
    let server = TestServer::start();
    let mut deep = field(1, b"x");
    for _ in 0..60 {
        deep = field(5, &field(1, &deep));
    }
    let large = field(5, &field(1, "x".repeat(1_100_000).as_bytes()));
    let answer = post(&server, PROTOBUF, request(&[uid("1", "a"), large, field(5, &deep), uid("2", "b")]));
    assert!(answer.expect_status(200).body.contains("2 records are no events and were kept in quarantine"));
    assert_eq!((events(&server, "topic=otlp").len(), quarantined(&server).len()), (2, 2));
}

#[test]
fn empty_requests_are_taken_and_broken_ones_store_nothing() {
    let server = TestServer::start();
    for (media_type, body) in [(PROTOBUF, vec![]), (PROTOBUF, field(1, b"")), (JSON, b"{}".to_vec())] {
        post(&server, media_type, body).expect_status(200);
    }
    let cut = &PYTHON[..PYTHON.len() - 1];
    let half = [request(&[uid("1", "a")]), field(1, &[0x0A, 200])].concat();
    for body in [cut, b"\xff\xff", b"{}", &half] {
        let answer = post(&server, PROTOBUF, body).expect_status(400);
        assert_eq!((answer.header("content-type"), answer.body.as_bytes()[0]), (Some(PROTOBUF), 0x08));
    }
    for body in ["{", "[", "{\"resourceLogs\":"] {
        let status = post(&server, JSON, body).expect_status(400).json();
        assert_eq!((&status["code"], status["message"].is_string()), (&json!(3), true));
    }
    post(&server, "text/plain", "x").expect_status(415);
    server.expect_nothing_stored();
}

#[test]
fn a_small_body_cannot_become_a_large_one() {
    let server = TestServer::start();
    // A resource of 200 kB that 1,000 empty records repeat.
    let value = field(1, "x".repeat(200_000).as_bytes());
    let attribute = [field(1, b"a"), field(2, &value)].concat();
    let scope_logs: Vec<u8> = (0..1_000).flat_map(|_| field(2, b"")).collect();
    let body = field(1, &[field(1, &field(1, &attribute)), field(2, &scope_logs)].concat());
    let status: Value = post(&server, PROTOBUF, body).expect_status(413).body.contains("too_large").into();
    assert_eq!(status, true);
    // A million records of two bytes.
    let many: Vec<u8> = (0..1_000_000).flat_map(|_| field(2, b"")).collect();
    post(&server, PROTOBUF, field(1, &field(2, &many))).expect_status(413);
    server.expect_nothing_stored();
}
