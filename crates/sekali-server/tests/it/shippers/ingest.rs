//! `POST /ingest`: JSON of any shape.

use expect_test::expect;
use serde_json::{Value, json};

use super::{counted, events, gzip, quarantined, send};
use crate::server::TestServer;

const NDJSON: &str = "application/x-ndjson";

#[test]
fn a_request_says_where_topic_id_time_and_source_are() {
    let server = TestServer::start();
    let path = "/ingest?topic=web.%7B/k8s/ns%7D&id=/request_id,/id&timestamp=/ts&source=/host";
    let body = r#"{"k8s":{"ns":"blue"},"id":7,"ts":1761339600.5,"host":"a","n":12345678901234567890}
{"request_id":"x","id":8,"ts":"2025-10-24T21:00:01Z"}
"#;
    let expected = expect![[r#"{"received":2,"stored":2,"duplicates":0,"conflicts":0,"quarantined":0,"errors":[]}"#]];
    send(&server, path, NDJSON, body).expect(202, &expected);
    let expected = expect![[r#"{"received":2,"stored":0,"duplicates":2,"conflicts":0,"quarantined":0,"errors":[]}"#]];
    send(&server, path, NDJSON, body).expect(202, &expected);
    server.get("/events").expect(200, &expect![[
        r#"[{"topic":"web.blue","event_id":"7","timestamp":"2025-10-24T21:00:00.5Z","source":"a","payload":{"k8s":{"ns":"blue"},"id":7,"ts":1761339600.5,"host":"a","n":12345678901234567890},"seq":1,"received_at":…},{"topic":"web.unknown","event_id":"x","timestamp":"2025-10-24T21:00:01Z","source":"","payload":{"request_id":"x","id":8,"ts":"2025-10-24T21:00:01Z"},"seq":2,"received_at":…}]"#
    ]]);
    assert_eq!(counted(&server, "ingest")["declared"], 4);
}

#[test]
fn headers_say_the_same_for_clients_whose_url_is_fixed() {
    let server = TestServer::start();
    let request = server.request("POST", "/ingest").header("x-sekali-id", "/id").header("x-sekali-topic", "t");
    request.body(r#"{"id":"1"}"#).send().expect_status(202);
    assert_eq!(events(&server, "topic=t")[0]["event_id"], "1");
}

#[test]
fn every_shape_is_taken() {
    let server = TestServer::start();
    let shapes: [(&str, &str, &str); 8] = [
        ("/ingest?id=/id", "application/json", r#"{"id":1}"#),
        ("/ingest?id=/id", "application/json", r#" [{"id":2},{"id":3}] "#),
        ("/ingest?id=/id", "application/json", "{\"id\":4}\n{\"id\":5}\n"),
        ("/ingest?id=/id", "", "{\"id\":6,\n\"pretty\":true}"),
        (
            "/ingest?id=/eventID&records=/Records",
            "application/json",
            r#"{"Records":[{"eventID":"a"},{"eventID":"b"}]}"#,
        ),
        ("/ingest?id=/value", "application/json", r#"["x",55]"#),
        ("/ingest?id=/message", "text/plain", "a line\n\nanother \"line\"\n"),
        ("/ingest?id=/id", NDJSON, "\u{feff}{\"id\":7}\r\n[{\"id\":8}]"),
    ];
    for (path, media_type, body) in shapes {
        send(&server, path, media_type, body).expect_status(202);
    }
    let ids: Vec<_> = events(&server, "").iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
    let expected = ["1", "2", "3", "4", "5", "6", "a", "b", "x", "55", "a line", "another \"line\"", "7", "8"];
    assert_eq!(ids, expected);
}

#[test]
fn what_is_no_event_is_kept_in_quarantine_and_the_rest_is_stored() {
    let server = TestServer::start();
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let body = format!("{{\"id\":1}}\n{{broken\n{deep}\n{{\"id\":2}}\n");
    let answer = send(&server, "/ingest?topic=t&id=/id", NDJSON, body.clone()).expect_status(202).json();
    assert_eq!((&answer["stored"], &answer["quarantined"]), (&json!(2), &json!(2)));
    assert_eq!(answer["errors"][0], json!({"index": 1, "reason": "not JSON: key must be a string at column 2"}));
    let kept = quarantined(&server);
    assert_eq!((kept[0]["record"].as_str(), kept[1]["topic"].as_str()), (Some("{broken"), Some("t")));
    // The same again is nothing new, in quarantine either.
    send(&server, "/ingest?topic=t&id=/id", NDJSON, body).expect_status(202);
    assert_eq!(quarantined(&server).len(), 2);
    server.expect_counts(8, 4, 4, 0);
}

#[test]
fn all_or_nothing_is_kept_on_request() {
    let server = TestServer::start();
    let body = "{\"id\":1}\n{broken\n";
    send(&server, "/ingest?id=/id&invalid=reject", NDJSON, body).expect_error(422, "invalid_event");
    server.expect_nothing_stored();
}

#[test]
fn settings_that_cannot_be_read_are_named() {
    let server = TestServer::start();
    for query in ["id=request_id", "topics=x", "topic=%7B", "timestamp=x", "invalid=skip", "records=x", "id=/a&id=/b"] {
        send(&server, &format!("/ingest?{query}"), NDJSON, "{}").expect_error(400, "invalid_parameter");
    }
    server.expect_nothing_stored();
}

#[test]
fn repeats_are_known_whatever_their_encoding() {
    let server = TestServer::start();
    let lines: String = (0..500).map(|n| format!("{{\"id\":{n},\"text\":\"{}\"}}\n", "x".repeat(700))).collect();
    send(&server, "/ingest?id=/id", NDJSON, lines.clone()).expect_status(202);
    let packed =
        server.request("POST", "/ingest?id=/id").header("content-type", NDJSON).header("content-encoding", "gzip");
    let answer = packed.body(gzip(lines.as_bytes())).send().expect_status(202).json();
    assert_eq!(answer["duplicates"], 500);
}

#[test]
fn bombs_are_refused_in_bounded_memory() {
    let server = TestServer::start();
    let bomb = gzip(&vec![b' '; 40 << 20]);
    let request = server.request("POST", "/ingest").header("content-type", NDJSON).header("content-encoding", "gzip");
    request.body(bomb).send().expect_error(413, "too_large");
    let many = "1\n".repeat(100_001);
    send(&server, "/ingest?id=content", NDJSON, many).expect_error(413, "too_large");
    server.expect_nothing_stored();
}

#[test]
fn a_conflict_is_kept_as_evidence() {
    let server = TestServer::start();
    send(&server, "/ingest?topic=t&id=/id", NDJSON, r#"{"id":1,"n":1}"#).expect_status(202);
    let body = "{\"id\":0}\n{\"id\":1,\"n\":2}\n{\"id\":2}";
    let answer: Value = send(&server, "/ingest?topic=t&id=/id", NDJSON, body).expect_status(202).json();
    assert_eq!((&answer["stored"], &answer["conflicts"]), (&json!(2), &json!(1)));
    assert_eq!(events(&server, "topic=%24conflicts").len(), 1);
}
