//! The events around one event, compared with a plain list.

use std::sync::Arc;

use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

fn filled(partitions: u32, count: usize) -> TestServer {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = partitions);
    for part in 0..count.div_ceil(10) {
        // Every part is a commit of its own, and has a time of its own.
        let event = |at: usize| {
            let mut event = event(["a", "b", "c/d"][at % 3], &at.to_string());
            event["source"] = json!(format!("s{}", at % 4));
            event["payload"] = if at.is_multiple_of(5) { json!({"other": at}) } else { json!({"request": at % 6}) };
            event
        };
        let events: Vec<_> = (part * 10..count.min(part * 10 + 10)).map(event).collect();
        server.publish(&Value::Array(events)).expect_status(202);
    }
    server
}

fn path(event: &Value) -> String {
    format!(
        "/events/{}/{}/context",
        event["topic"].as_str().unwrap().replace('/', "%2F"),
        event["event_id"].as_str().unwrap()
    )
}

#[test]
fn the_neighbours_are_those_of_a_plain_list() {
    type Matches = fn(&Value, &Value) -> bool;
    let wanted: [(&str, Matches); 5] = [
        ("", |_, _| true),
        ("same=topic", |event, other| event["topic"] == other["topic"]),
        ("same=source,payload.request", |event, other| {
            event["source"] == other["source"] && event["payload"].get("request") == other["payload"].get("request")
        }),
        ("payload.request=3", |_, other| other["payload"]["request"] == 3),
        ("topic=b&not.source=s1", |_, other| other["topic"] == "b" && other["source"] != "s1"),
    ];
    for partitions in [1, 3] {
        let server = filled(partitions, 60);
        let all = server.get("/events").json().as_array().unwrap().clone();
        for (at, event) in all.iter().enumerate() {
            for (query, matches) in wanted {
                let answer = server.get(&format!("{}?before=4&after=3&{query}", path(event))).expect_status(200).json();
                let before: Vec<_> = all[..at].iter().filter(|other| matches(event, other)).cloned().collect();
                let after: Vec<_> = all[at + 1..].iter().filter(|other| matches(event, other)).cloned().collect();
                let context = format!("{partitions} {query} {event}");
                assert_eq!(answer["event"], *event, "{context}");
                assert_eq!(answer["before"], json!(before[before.len().saturating_sub(4)..]), "{context}");
                assert_eq!(answer["after"], json!(after[..after.len().min(3)]), "{context}");
                assert_eq!(answer["more_before"], before.len() > 4, "{context}");
                assert_eq!(answer["more_after"], after.len() > 3, "{context}");
                assert_eq!(answer["complete"], true, "{context}");
            }
        }
    }
}

#[test]
fn no_neighbours_columns_and_the_defaults() {
    let server = filled(1, 60);
    let none = server.get("/events/a/30/context?before=0&after=0&columns=event_id").expect_status(200).json();
    assert_eq!((&none["event"], &none["before"], &none["after"]), (&json!({"event_id": "30"}), &json!([]), &json!([])));
    assert_eq!((&none["more_before"], &none["more_after"]), (&json!(true), &json!(true)));
    let usual = server.get("/events/a/30/context").json();
    assert_eq!(usual["before"].as_array().unwrap().len() + usual["after"].as_array().unwrap().len(), 20);
    server.get("/events/a/none/context").expect_error(404, "not_found");
    for (query, parameter) in [
        ("before=1001", "before"),
        ("after=-1", "after"),
        ("same=status", "same"),
        ("same=topic,topic", "same"),
        ("columns=x", "columns"),
        ("limit=1", "limit"),
    ] {
        let answer = server.get(&format!("/events/a/30/context?{query}")).expect_error(400, "invalid_parameter");
        assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{query}");
    }
}

#[test]
fn large_neighbours_end_the_answer_before_memory_does() {
    let server = TestServer::start();
    let large = |id: u32| {
        let mut event = event("t", &id.to_string());
        event["payload"] = json!({"text": "x".repeat(1_000_000)});
        event
    };
    for id in 0..24 {
        server.publish(&large(id)).expect_status(202);
    }
    let answer = server.get("/events/t/12/context?before=1000&after=1000").expect_status(200);
    assert!(answer.body.len() < 20 << 20, "{} bytes", answer.body.len());
    let (before, after) = (answer.json()["before"].clone(), answer.json()["after"].clone());
    assert!(before.as_array().unwrap().len() > 5 && after.as_array().unwrap().len() > 5);
    assert_eq!((&answer.json()["more_before"], &answer.json()["more_after"]), (&json!(true), &json!(true)));
}

#[test]
fn only_topics_of_the_key_are_around_an_event() {
    let (server, (admin, mine)) =
        start(2, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])));
    for (topic, id) in [("mine.a", "1"), ("theirs", "2"), ("mine.b", "3"), ("theirs", "4")] {
        server.publish_with(&admin, "/publish", event(topic, id)).expect_status(202);
    }
    let answer = server.get_with(&mine, "/events/mine.b/3/context?columns=event_id").expect_status(200).json();
    assert_eq!((&answer["before"], &answer["after"]), (&json!([{"event_id": "1"}]), &json!([])));
    server.get_with(&mine, "/events/theirs/2/context").expect_error(403, "forbidden");
    server.get_with(&mine, "/events/theirs/none/context").expect_error(403, "forbidden");
    server.get_with(&mine, "/events/mine.b/3/context?topic=theirs").expect_error(403, "forbidden");
}

#[test]
fn evidence_is_among_evidence() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    for topic in ["a", "b", "c"] {
        server.publish(&event(topic, "1")).expect_status(202);
        let mut other = event(topic, "1");
        other["payload"] = json!({"other": topic});
        server.publish(&other).expect_status(202);
    }
    let evidence = server.get("/events?topic=$conflicts").json();
    let middle = &evidence[1];
    let answer = server.get(&path(middle)).expect_status(200).json();
    assert_eq!((&answer["before"], &answer["after"]), (&json!([evidence[0]]), &json!([evidence[2]])));
}
