//! Publishing valid events.

use std::io::Write as _;

use expect_test::expect;
use serde_json::{Value, json};

use crate::server::{TestServer, event};

#[test]
fn the_seeds_own_example_works() {
    let server = TestServer::start();
    let body = r#"{"topic":"demo","event_id":"id-123","timestamp":"2025-10-24T21:00:00Z","source":"curl_test","payload":{"message":"hello"}}"#;
    let publish = || server.request("POST", "/publish").header("content-type", "application/json").body(body).send();
    publish().expect(202, &expect![[r#"{"message":"1 stored","received":1,"stored":1,"duplicates":0,"conflicts":0}"#]]);
    publish().expect(
        202,
        &expect![[r#"{"message":"0 stored, 1 duplicate","received":1,"stored":0,"duplicates":1,"conflicts":0}"#]],
    );
    server.get("/events?topic=demo").expect(200, &expect![[
        r#"[{"topic":"demo","event_id":"id-123","timestamp":"2025-10-24T21:00:00Z","source":"curl_test","payload":{"message":"hello"},"seq":1,"received_at":…}]"#
    ]]);
    server.get("/stats").expect(200, &expect![[r#"{"received":2,"unique_processed":1,"duplicate_dropped":1,"topics":["demo"],"topic_count":1,"uptime_seconds":…,"conflicts":0,"unidentified":0,"status":"ready","damage":[],"listening":[{"port":"main","address":…}],"partitions":1,"queued_bytes":0,"expired":{"events":0,"bytes":…},"clock_behind_seconds":0,"oldest":[{"partition":0,"seq":1,"received_at":…}],"torn":{"tails":0,"bytes":…},"scrub":{"last_finished":null,"last_bytes":0,"pass_bytes":0,"mended":0},"ways":[{"way":"publish","declared":2,"positional":0,"request":0,"content":0,"none":0,"quarantined":0}],"index":[{"entries_in_memory":1,"entries_in_runs":0,"runs":0,"tables_waiting":0,"merge_debt_bytes":0,"filter_bytes":0,"disk_bytes":0,"look_ups":2,"filter_hits":0,"false_positives":0,"disk_reads":0,"failed":null}],"storage":[{"segments":0,"segment_bytes":0,"log_files":1,"log_bytes":…,"sealing_failed":null,"free_bytes":…,"needed_bytes":67108864,"unsealed_seconds":…}],"version":"0.1.0"}"#]]);
    server.get("/topics").expect(200, &expect![[
        r#"[{"topic":"demo","events":1,"bytes":…,"first_timestamp":"2025-10-24T21:00:00Z","last_timestamp":"2025-10-24T21:00:00Z"}]"#
    ]]);
}

#[test]
fn every_layout_is_taken() {
    let server = TestServer::start();
    server.publish(&json!([event("t", "1"), event("t", "2")])).expect_status(202);
    server.publish(&json!({"events": [event("t", "2"), event("t", "3")]})).expect_status(202);
    for (media, id) in [("application/x-ndjson", "4"), ("application/ndjson", "5"), ("application/jsonl", "6")] {
        let body = format!("{}\n{}\n", event("t", "3"), event("t", id));
        server.request("POST", "/publish").header("content-type", media).body(body).send().expect_status(202);
    }
    server.request("POST", "/publish").body(event("t", "7").to_string()).send().expect_status(202);
    server.expect_counts(11, 7, 4, 0);
}

#[test]
fn nothing_to_store_is_no_error() {
    let server = TestServer::start();
    for body in [json!([]), json!({"events": []})] {
        server.publish(&body).expect(
            202,
            &expect![[
                r#"{"message":"there was no event to store","received":0,"stored":0,"duplicates":0,"conflicts":0}"#
            ]],
        );
    }
    server.request("POST", "/publish").header("content-type", "application/x-ndjson").send().expect_status(202);
    server.expect_nothing_stored();
}

#[test]
fn every_outcome_is_told_in_request_order() {
    let server = TestServer::start_with(std::sync::Arc::new(sekali_store::disk::RealDisk), |config| {
        config.partitions = 4;
    });
    server.publish(&json!([event("a", "1"), event("b", "1"), event("c", "1")])).expect_status(202);
    let mut changed = event("b", "1");
    changed["payload"] = json!({"message": "something else"});
    let body = json!([event("d", "1"), changed, event("a", "1"), event("a", "2"), event("d", "1")]);
    let answer = server.request("POST", "/publish?verbose=true").body(body.to_string()).send().expect_status(202);
    let outcomes: Vec<_> = answer.json()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| format!("{}/{} {}", event["topic"], event["event_id"], event["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(outcomes, ["d/1 stored", "b/1 conflict", "a/1 duplicate", "a/2 stored", "d/1 duplicate"]);
    server.expect_counts(8, 5, 3, 1);
}

#[test]
fn a_conflict_is_kept_as_evidence() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let mut changed = event("t", "1");
    changed["payload"] = json!({"n": 2});
    server.publish(&changed).expect(202, &expect![[
        r#"{"message":"0 stored, 1 duplicate, of them 1 with different content","received":1,"stored":0,"duplicates":1,"conflicts":1}"#
    ]]);
    let stored = server.get("/events").json();
    assert_eq!((stored.as_array().unwrap().len(), &stored[0]["payload"]), (1, &json!({"message": "hello"})));
    let evidence = server.get("/events?topic=%24conflicts").json();
    assert_eq!(evidence[0]["payload"], json!({"topic": "t", "event_id": "1", "stored_seq": 1, "payload": {"n": 2}}));
    assert_eq!(server.get("/stats").json()["topics"], json!(["t"]));
    assert_eq!(server.get("/topics").json().as_array().unwrap().len(), 1);
}

#[test]
fn the_same_content_in_another_spelling_is_a_duplicate() {
    let server = TestServer::start();
    let publish = |payload: &str| {
        let body =
            format!(r#"{{"topic":"t","event_id":"1","timestamp":"2025-01-01","source":"s","payload":{payload}}}"#);
        server.request("POST", "/publish").body(body).send().expect_status(202)
    };
    publish(r#"{"a":1.0,"b":"é"}"#);
    for same in [r#"{ "b":"\u00e9", "a":1 }"#, r#"{"a":5,"a":10e-1,"b":"é"}"#] {
        assert_eq!(publish(same).json()["conflicts"], 0, "{same}");
    }
    for different in [r#"{"a":1.0000000000000000001,"b":"é"}"#, r#"{"a":"1","b":"é"}"#, r#"{"a":1}"#] {
        assert_eq!(publish(different).json()["conflicts"], 1, "{different}");
    }
}

#[test]
fn valid_events_are_kept_when_the_rest_is_to_be_skipped() {
    let server = TestServer::start();
    let body = format!("{}\n{{\"topic\":5}}\n{{broken\n{}\n", event("t", "1"), event("$x", "2"));
    let request =
        server.request("POST", "/publish?invalid=skip&verbose=true").header("content-type", "application/x-ndjson");
    request.body(body).send().expect(202, &expect![[
        r#"{"message":"1 stored","received":1,"stored":1,"duplicates":0,"conflicts":0,"invalid":3,"errors":[{"index":1,"field":"topic","reason":"must be a string, not a number"},{"index":1,"field":"event_id","reason":"is missing"},{"index":1,"field":"timestamp","reason":"is missing"},{"index":1,"field":"source","reason":"is missing"},{"index":1,"field":"payload","reason":"is missing"},{"index":2,"field":"","reason":"line 3 is not JSON: key must be a string"},{"index":3,"field":"topic","reason":"topics that begin with `$` are reserved"}],"events":[{"topic":"t","event_id":"1","outcome":"stored","seq":1}]}"#
    ]]);
    server.expect_counts(1, 1, 0, 0);
}

#[test]
fn every_content_encoding_is_taken() {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    let server = TestServer::start();
    let body =
        |id: &str| Value::from((0..500).map(|i| event("t", &format!("{id}-{i}"))).collect::<Vec<_>>()).to_string();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(body("gzip").as_bytes()).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(body("zlib").as_bytes()).unwrap();
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
    bare.write_all(body("bare").as_bytes()).unwrap();
    for (encoding, body) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", bare.finish().unwrap()),
        ("zstd", zstd::stream::encode_all(body("zstd").as_bytes(), 3).unwrap()),
        ("identity", body("identity").into_bytes()),
    ] {
        let answer = server.request("POST", "/publish").header("content-encoding", encoding).body(body).send();
        assert_eq!(answer.expect_status(202).json()["stored"], 500, "{encoding}");
    }
    server.expect_counts(2500, 2500, 0, 0);
}

#[test]
fn what_was_exported_can_be_published_again() {
    let server = TestServer::start();
    server.publish(&json!([event("t", "1"), event("t", "2")])).expect_status(202);
    let array = server.get("/events").body;
    let lines = server.request("GET", "/events").header("accept", "application/x-ndjson").send().body;
    let other = TestServer::start();
    other.request("POST", "/publish").body(array).send().expect_status(202);
    let request = other.request("POST", "/publish").header("content-type", "application/x-ndjson");
    request.body(lines).send().expect_status(202);
    other.expect_counts(4, 2, 2, 0);
}

#[test]
fn the_same_event_sent_at_once_by_many_is_stored_once() {
    let server = TestServer::start();
    let body = Value::from((0..50).map(|i| event("t", &i.to_string())).collect::<Vec<_>>()).to_string();
    let sent: Vec<_> = (0..32).map(|_| server.request("POST", "/publish").body(body.clone()).spawn()).collect();
    let answers: Vec<_> = sent.into_iter().map(|answer| server.runtime().block_on(answer).unwrap()).collect();
    let stored: u64 = answers.iter().map(|answer| answer.json()["stored"].as_u64().unwrap()).sum();
    assert_eq!(stored, 50);
    server.expect_counts(1600, 50, 1550, 0);
}
