//! Metrics as Prometheus reads them.

use std::collections::BTreeMap;

use serde_json::json;

use crate::server::{TestServer, event};

/// Samples by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn events_commits_and_requests_are_counted() {
    let server = TestServer::start();
    server.publish(&json!([event("a", "1"), event("a", "2"), event("b", "1")])).expect_status(202);
    server.publish(&json!(event("a", "1"))).expect_status(202);
    let mut other = event("a", "2");
    other["payload"] = json!({"other": true});
    server.publish(&other).expect_status(202);
    server.get("/events?limit=x").expect_status(400);
    let answer = server.get("/metrics").expect_status(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = samples(&answer.body);
    for (name, value) in [
        (r#"sekali_events_total{outcome="stored"}"#, 3.0),
        (r#"sekali_events_total{outcome="duplicate"}"#, 1.0),
        (r#"sekali_events_total{outcome="conflict"}"#, 1.0),
        ("sekali_stored_events", 3.0),
        (r#"sekali_status{status="ready"}"#, 1.0),
        (r#"sekali_status{status="stopped"}"#, 0.0),
        ("sekali_damages", 0.0),
        ("sekali_topics", 2.0),
        (r#"sekali_topic_events{topic="a"}"#, 2.0),
        (r#"sekali_requests_total{method="POST",route="/publish",status="202"}"#, 3.0),
        (r#"sekali_requests_total{method="GET",route="/events",status="400"}"#, 1.0),
        (r#"sekali_request_duration_seconds_count{method="POST",route="/publish"}"#, 3.0),
        ("sekali_commit_events_sum", 5.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in\n{}", answer.body);
    }
    assert!(samples["sekali_commit_duration_seconds_count"] >= 3.0);
    assert!(samples[r#"sekali_log_bytes{partition="0"}"#] > 0.0);
}

#[test]
fn what_clients_keep_open_and_how_they_come_in_is_counted() {
    let server = TestServer::start();
    server.publish(&json!([event("a", "1"), event("a", "2")])).expect_status(202);
    server.request("POST", "/ingest").body("{\"a\": 1}\nno json").send().expect_status(202);
    server.request("PUT", "/consumers/mailer").body("{}").send().expect_status(201);
    let _stream = server.request("GET", "/events/stream").spawn();
    let value = |name: &str| samples(&server.get("/metrics").body).get(name).copied();
    // The stream is counted when its request has come in.
    while value("sekali_tails") != Some(1.0) {
        std::thread::yield_now();
    }
    for (name, expected) in [
        (r#"sekali_way_events_total{way="publish",id="declared"}"#, 2.0),
        (r#"sekali_way_events_total{way="ingest",id="none"}"#, 1.0),
        (r#"sekali_way_events_total{way="ingest",id="declared"}"#, 0.0),
        (r#"sekali_quarantined_records_total{way="ingest"}"#, 1.0),
        ("sekali_consumers", 1.0),
        (r#"sekali_consumer_behind_events{consumer="mailer"}"#, 4.0),
        ("sekali_bodies_bytes", 0.0),
    ] {
        assert_eq!(value(name), Some(expected), "{name}");
    }
    assert!(value("sekali_connections").unwrap() >= 1.0);
    assert!(value("sekali_log_sync_duration_seconds_count").unwrap() >= 2.0);
    let syncs = value("sekali_log_sync_duration_seconds_sum").unwrap();
    assert!(syncs <= value("sekali_commit_duration_seconds_sum").unwrap() + 1.0, "{syncs}");
}

#[test]
fn open_metrics_are_for_those_who_name_them() {
    let server = TestServer::start();
    let accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let answer = server.request("GET", "/metrics").header("accept", accept).send().expect_status(200);
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    assert!(answer.body.contains("# UNIT sekali_queue_bytes bytes"), "{}", answer.body);
}

#[test]
fn names_of_strangers_are_escaped_and_their_number_is_bounded() {
    let server = TestServer::start();
    let mut events: Vec<_> = (0..300).map(|number| event(&format!("topic-{number}"), "1")).collect();
    events.push(event("quote\" and \\ backslash", "1"));
    events.push(event("quote\" and \\ backslash", "2"));
    server.publish(&json!(events)).expect_status(202);
    let answer = server.get("/metrics").expect_status(200);
    let topics = answer.body.lines().filter(|line| line.starts_with("sekali_topic_events{"));
    assert_eq!(topics.count(), 50);
    assert!(answer.body.contains(r#"sekali_topic_events{topic="quote\" and \\ backslash"} 2"#), "{}", answer.body);
    assert!(answer.body.len() < 64 * 1024, "{}", answer.body.len());
}
