//! Expired events, as clients see them.

use std::time::{Duration, Instant};

use sekali_server::server::Internals;
use sekali_store::{AgeRule, Retention, TopicPattern, Tuning};
use serde_json::{Value, json};

use crate::server::{TestServer, event};

fn small() -> Tuning {
    let mut tuning = Tuning { log_file_bytes: 2_000, ..Tuning::default() };
    tuning.index.table_entries = 5;
    tuning
}

fn stats_when(server: &TestServer, ready: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let stats = server.get("/stats").json();
        if ready(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "{stats}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn events_expire_and_their_keys_do_not() {
    let ages = vec![AgeRule { topics: TopicPattern::new("debug.*"), age_ns: Some(1) }];
    let internals = Internals { tuning: small(), ..Internals::default() };
    let server = TestServer::start_inside(internals, |config| config.retention = Retention { ages, sizes: Vec::new() });
    let topics = ["debug.x", "main"];
    let events: Vec<_> = (0..200).map(|id| event(topics[id % 2], &id.to_string())).collect();
    for event in &events {
        server.publish(event).expect_status(202);
    }
    // Retention rules are applied at the start, and then periodically.
    let server = server.restart();
    let stats = stats_when(&server, |stats| stats["expired"]["events"].as_u64() >= Some(60));
    let expired = stats["expired"]["events"].as_u64().unwrap();
    assert!(stats["expired"]["bytes"].as_u64() > Some(expired), "{stats}");
    assert_eq!(stats["oldest"][0]["partition"], 0);
    assert!(stats["oldest"][0]["seq"].as_u64() <= Some(2), "the other topic stays: {stats}");
    assert!(stats["oldest"][0]["received_at"].as_str().unwrap().ends_with('Z'), "{stats}");
    server.expect_counts(200, 200, 0, 0);
    server.get("/events/debug.x/0").expect_error(404, "not_found");
    server.get("/events/main/1").expect_status(200);
    // Some of their files are still there.
    let left = server.get("/events").json();
    assert_eq!(left.as_array().unwrap().len(), 100);
    assert!(left.as_array().unwrap().iter().all(|event| event["topic"] == "main"));
    let topics = server.get("/topics").json();
    assert_eq!((topics.as_array().unwrap().len(), &topics[0]["events"]), (1, &json!(100)), "{topics}");
    assert_eq!(server.get("/events/count").json()["count"], 100);
    assert_eq!(server.get("/events/count?topic=debug.x").json()["count"], 0);
    assert_eq!(server.get("/events?topic=debug.x&event_id=198").json(), json!([]));
    for id in (0..200).step_by(2) {
        server.get(&format!("/events/debug.x/{id}")).expect_error(404, "not_found");
    }
    server.publish(&json!(events)).expect_status(202);
    server.expect_counts(400, 200, 200, 0);
    let mut changed = event("debug.x", "0");
    changed["payload"] = json!({"other": true});
    let answer = server.publish(&changed).expect_status(202).json();
    assert_eq!(answer["conflicts"], 1);
    let server = server.restart();
    server.expect_counts(401, 200, 201, 1);
}
