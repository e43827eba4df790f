//! Dry runs, and keys that are known: both store and count nothing.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

fn three_partitions() -> TestServer {
    TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3)
}

fn post(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = server.request("POST", path).header("content-type", "application/json");
    let status = if path.contains("dry_run") || path.starts_with("/exists") { 200 } else { 202 };
    request.body(body.to_string()).send().expect_status(status).json()
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap();
    events.iter().map(|event| event["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_dry_run_says_what_publishing_then_does() {
    let server = three_partitions();
    let batches = {
        // Few keys and few contents, so that all outcomes come often, within a request too.
        let event = ("[ab]", 0..6_u8, 0..3_u8).prop_map(|(topic, id, content)| {
            let mut event = event(&topic, &id.to_string());
            event["payload"] = [json!({"n": 1}), json!({"n": 1.5}), json!({"n": 2})][usize::from(content)].clone();
            event
        });
        prop::collection::vec(event, 1..12)
    };
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let publish = |events: Vec<Value>| {
        let (events, before) = (Value::Array(events), server.get("/stats").json());
        let preview = post(&server, "/publish?dry_run=true", &events);
        let after = server.get("/stats").json();
        for name in ["received", "unique_processed", "duplicate_dropped", "conflicts", "topics"] {
            prop_assert_eq!(&before[name], &after[name]);
        }
        let published = post(&server, "/publish?verbose=true", &events);
        prop_assert_eq!(outcomes(&preview), outcomes(&published));
        for name in ["received", "stored", "duplicates", "conflicts"] {
            prop_assert_eq!(&preview[name], &published[name]);
        }
        for (preview, published) in
            preview["events"].as_array().unwrap().iter().zip(published["events"].as_array().unwrap())
        {
            // Where the other event is one of the same request, it has no seq yet.
            prop_assert!(preview.get("seq").is_none_or(|seq| *seq == published["seq"]));
            prop_assert!(preview["outcome"] != "stored" || preview.get("seq").is_none());
        }
        Ok(())
    };
    runner.run(&batches, publish).unwrap();
}

#[test]
fn a_dry_run_of_invalid_events_is_refused_as_publishing_is() {
    let server = TestServer::start();
    let mixed = json!([event("t", "1"), {"topic": "t"}]);
    let request = server.request("POST", "/publish?dry_run=true").body(mixed.to_string());
    request.send().expect_error(422, "invalid_event");
    let skipped = post(&server, "/publish?dry_run=true&invalid=skip", &mixed);
    assert_eq!((&skipped["stored"], &skipped["invalid"], &skipped["dry_run"]), (&json!(1), &json!(1), &json!(true)));
    let wrong = server.request("POST", "/publish?dry_run=yes").body("[]").send();
    assert_eq!(wrong.expect_error(400, "invalid_parameter").json()["errors"][0]["parameter"], "dry_run");
    server.expect_nothing_stored();
}

#[test]
fn a_dry_run_needs_a_key_that_may_read() {
    let (server, (both, publish)) =
        start(1, |dir| (make(dir, &[Scope::Publish, Scope::Read], &["t"]), make(dir, &[Scope::Publish], &["t"])));
    server.publish_with(&both, "/publish?dry_run=true", event("t", "1")).expect_status(200);
    server.publish_with(&publish, "/publish?dry_run=true", event("t", "1")).expect_error(403, "forbidden");
    server.publish_with(&both, "/publish?dry_run=true", event("other", "1")).expect_error(403, "forbidden");
    server.publish_with(&publish, "/publish", event("t", "1")).expect_status(202);
}

#[test]
fn the_keys_that_are_known_are_those_of_stored_events() {
    let server = three_partitions();
    let stored: Vec<_> = (0..50).map(|at| event(["a", "b", "c"][at % 3], &(at * 2).to_string())).collect();
    post(&server, "/publish", &Value::Array(stored.clone()));
    let keys: Vec<_> = (0..100)
        .flat_map(|id| ["a", "b", "c"].map(|topic| json!({"topic": topic, "event_id": id.to_string()})))
        .collect();
    let is_stored =
        |key: &Value| stored.iter().any(|event| event["topic"] == key["topic"] && event["event_id"] == key["event_id"]);
    let expected: Vec<_> = keys.iter().map(is_stored).collect();
    let answer = json!({"received": 300, "known": 50, "exists": expected});
    assert_eq!(post(&server, "/exists", &json!(keys)), answer);
    assert_eq!(post(&server, "/exists", &json!({"keys": keys})), answer);
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    let request = server.request("POST", "/exists").header("content-type", "application/x-ndjson").body(lines);
    assert_eq!(request.send().expect_status(200).json(), answer);
    // An evidence of a conflict makes no other key known, and a restart forgets none.
    let mut other = event("a", "0");
    other["payload"] = json!({"other": true});
    post(&server, "/publish", &other);
    let server = server.restart();
    assert_eq!(post(&server, "/exists", &json!(keys)), answer);
    assert_eq!(post(&server, "/exists", &json!([])), json!({"received": 0, "known": 0, "exists": []}));
}

#[test]
fn what_is_no_list_of_keys_is_refused() {
    let server = TestServer::start();
    let send = |body: String| server.request("POST", "/exists").body(body).send();
    send("{}".to_owned()).expect_error(400, "invalid_json");
    send("[{\"topic\":\"t\"".to_owned()).expect_error(400, "invalid_json");
    let refused = send(json!([{"topic": "t", "event_id": "1"}, {"topic": "$conflicts", "event_id": "1"}]).to_string());
    let refused = refused.expect_error(422, "invalid_event").json();
    assert_eq!((&refused["errors"][0]["index"], &refused["errors"][0]["field"]), (&json!(1), &json!("topic")));
    send(json!([event("t", "1")]).to_string()).expect_error(422, "invalid_event");
    let key = "{\"topic\":\"t\",\"event_id\":\"1\"}";
    send(format!("[{}]", vec![key; 100_000].join(","))).expect_status(200);
    send(format!("[{}]", vec![key; 100_001].join(","))).expect_error(413, "too_large");
    server.request("POST", "/exists?topic=t").body("[]").send().expect_error(400, "invalid_parameter");
    server.request("POST", "/exists").header("content-type", "text/plain").body("[]").send().expect_status(415);
}

#[test]
fn keys_are_looked_up_in_the_topics_of_the_api_key() {
    let (server, (publish, read)) =
        start(1, |dir| (make(dir, &[Scope::Publish], &["mine.*"]), make(dir, &[Scope::Read], &["*"])));
    server.publish_with(&publish, "/publish", event("mine.a", "1")).expect_status(202);
    let key = |topic: &str| json!([{"topic": topic, "event_id": "1"}]);
    assert_eq!(server.publish_with(&publish, "/exists", key("mine.a")).expect_status(200).json()["known"], 1);
    server.publish_with(&publish, "/exists", key("theirs")).expect_error(403, "forbidden");
    server.publish_with(&read, "/exists", key("mine.a")).expect_error(403, "forbidden");
}
