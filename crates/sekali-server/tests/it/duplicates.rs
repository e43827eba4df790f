//! Who sends events again: counters since the start, by topic and source.

use std::sync::Arc;

use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

fn sent(topic: &str, source: &str, id: usize, n: usize) -> Value {
    let mut event = event(topic, &id.to_string());
    (event["source"], event["payload"]) = (json!(source), json!({"n": n}));
    event
}

/// The row of a source.
fn of<'a>(answer: &'a Value, topic: &str, source: &str) -> &'a Value {
    let rows = answer["by"].as_array().unwrap();
    rows.iter().find(|row| row["topic"] == topic && row["source"] == source).expect(source)
}

#[test]
fn duplicates_are_counted_by_topic_and_source_as_they_are_by_request() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    let mut expected: Vec<(&str, &str, [u64; 3])> = Vec::new();
    for (number, (topic, source)) in [("a", "s1"), ("a", "s2"), ("b", "s1"), ("c", "s1")].into_iter().enumerate() {
        // The first half again, a tenth of it with other content.
        let first: Vec<_> = (0..40).map(|id| sent(topic, source, number * 100 + id, 1)).collect();
        let again: Vec<_> =
            (0..20).map(|id| sent(topic, source, number * 100 + id, if id % 10 == 3 { 2 } else { 1 })).collect();
        let mixed: Vec<_> = first.into_iter().chain(again).collect();
        let answer = server.publish(&Value::Array(mixed)).expect_status(202).json();
        expected.push((
            topic,
            source,
            ["received", "duplicates", "conflicts"].map(|name| answer[name].as_u64().unwrap()),
        ));
    }
    let answer = server.get("/duplicates").expect_status(200).json();
    for (topic, source, counts) in expected {
        let row = of(&answer, topic, source);
        assert_eq!(["received", "duplicates", "conflicts"].map(|name| row[name].as_u64().unwrap()), counts);
        assert_eq!((counts, &row["key"]), ([60, 20, 2], &json!(null)));
        let late: u64 = row["late"].as_array().unwrap().iter().map(|late| late.as_u64().unwrap()).sum();
        assert_eq!((late, &row["late_unknown"]), (20, &json!(0)));
        assert!(row["last_at"].as_str().unwrap() >= answer["since"].as_str().unwrap());
    }
    let stats = server.get("/stats").json();
    for (name, counter) in [("received", "received"), ("duplicates", "duplicate_dropped"), ("conflicts", "conflicts")] {
        assert_eq!(answer[name], stats[counter], "{name}");
    }
    let top = server.get("/duplicates?top=1").json();
    assert_eq!(top["by"].as_array().unwrap().len(), 1);
    assert_eq!(top["other"], json!({"received": 180, "duplicates": 60}));
    for wrong in ["top=0", "top=1001", "by=topic"] {
        server.get(&format!("/duplicates?{wrong}")).expect_error(400, "invalid_parameter");
    }
}

#[test]
fn repeats_of_what_was_stored_before_the_start_are_of_unknown_age() {
    let server = TestServer::start();
    server.publish(&sent("a", "s", 1, 1)).expect_status(202);
    let server = server.restart();
    server.publish(&sent("a", "s", 1, 1)).expect_status(202);
    let answer = server.get("/duplicates").json();
    assert_eq!(
        (&answer["received"], &answer["duplicates"], &answer["late_unknown"]),
        (&json!(1), &json!(1), &json!(1))
    );
    // Dry runs are not counted.
    let dry = server.request("POST", "/publish?dry_run=true").body(sent("a", "s", 1, 1).to_string());
    dry.send().expect_status(200);
    assert_eq!(server.get("/duplicates").json()["received"], 1);
}

#[test]
fn a_key_sees_the_origins_of_its_topics() {
    let (server, (admin, both)) =
        start(2, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Publish, Scope::Read], &["mine.*"])));
    for topic in ["mine.a", "theirs"] {
        server
            .publish_with(&admin, "/publish", json!([sent(topic, "s", 1, 1), sent(topic, "s", 1, 1)]))
            .expect_status(202);
    }
    server.publish_with(&both, "/publish", sent("mine.a", "s", 1, 1)).expect_status(202);
    let seen = server.get_with(&both, "/duplicates").expect_status(200);
    assert!(!seen.body.contains("theirs"), "{}", seen.body);
    assert_eq!((&seen.json()["received"], &seen.json()["duplicates"]), (&json!(3), &json!(2)));
    let keys: Vec<_> = seen.json()["by"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
    assert_eq!(keys, [json!(null), json!("a test")]);
    assert_eq!(server.get_with(&admin, "/duplicates").json()["received"], 5);
}
