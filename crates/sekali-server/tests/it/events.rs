//! Reading events back.

use std::sync::Arc;

use expect_test::expect;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer, event};

fn ids(answer: &Answer) -> Vec<String> {
    answer.json().as_array().unwrap().iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Follows the cursors from the first page to the last.
fn all_pages(server: &TestServer, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut path = format!("/events?{query}");
    loop {
        let answer = server.get(&path).expect_status(200);
        pages.push(ids(&answer));
        let Some(next) = answer.next_page() else { return pages };
        path = next;
    }
}

fn publish_numbered(server: &TestServer, topics: &[&str], count: usize) {
    for number in 0..count {
        server.publish(&event(topics[number % topics.len()], &number.to_string())).expect_status(202);
    }
}

#[test]
fn payloads_come_back_byte_for_byte() {
    let server = TestServer::start();
    let payload = "{ \"big\":123456789012345678901234567890.10,\n \"z\":1,\t\"a\":\"\\u00e9\\/\", \"z\":2 }";
    let body = event("t", "1").to_string().replace("{\"message\":\"hello\"}", payload);
    server.request("POST", "/publish").body(body).send().expect_status(202);
    assert!(server.get("/events").body.contains(&format!("\"payload\":{payload},")));
    assert!(server.get("/events/t/1").body.contains(&format!("\"payload\":{payload},")));
    let lines = server.request("GET", "/events").header("accept", "application/x-ndjson").send();
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(lines.body.lines().count(), 1, "a line for an event: {}", lines.body);
    assert!(lines.body.contains(&payload.replace('\n', " ")));
}

#[test]
fn timestamps_come_back_in_utc_to_the_nanosecond() {
    let server = TestServer::start();
    let mut sent = event("t", "1");
    sent["timestamp"] = json!("2025-10-25T04:00:00.120000001+07:00");
    server.publish(&sent).expect_status(202);
    assert_eq!(server.get("/events/t/1").json()["timestamp"], "2025-10-24T21:00:00.120000001Z");
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let server = TestServer::start();
    publish_numbered(&server, &["a", "b"], 10);
    assert_eq!(all_pages(&server, "limit=4"), [numbered(0..4), numbered(4..8), numbered(8..10)]);
    assert_eq!(all_pages(&server, "limit=5"), [numbered(0..5), numbered(5..10)]);
    assert_eq!(all_pages(&server, "topic=a&limit=2"), [vec!["0", "2"], vec!["4", "6"], vec!["8"]]);
    assert_eq!(
        all_pages(&server, "order=desc&limit=6"),
        [vec!["9", "8", "7", "6", "5", "4"], vec!["3", "2", "1", "0"]]
    );
    assert_eq!(all_pages(&server, "topic=none"), [Vec::<String>::new()]);
}

#[test]
fn partitions_are_read_as_one() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 8);
    let topics = ["a", "b", "c", "d", "e", "f", "g"];
    publish_numbered(&server, &topics, 40);
    assert_eq!(all_pages(&server, "limit=7").concat(), numbered(0..40));
    assert_eq!(
        all_pages(&server, "order=desc&limit=7").concat(),
        numbered(0..40).into_iter().rev().collect::<Vec<_>>()
    );
    assert_eq!(all_pages(&server, "topic=c&limit=2").concat(), ["2", "9", "16", "23", "30", "37"]);
    let server = server.restart();
    assert_eq!(all_pages(&server, "limit=9").concat(), numbered(0..40));
    assert_eq!(server.get("/stats").json()["topics"], json!(topics));
    assert_eq!(server.get("/events/e/4").expect_status(200).json()["topic"], "e");
}

#[test]
fn topics_are_listed_page_by_page_and_the_list_in_stats_is_cut() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 4);
    // More than are looked at together.
    let names: Vec<_> = (0..2_500).map(|number| format!("töpic {number:04} &")).collect();
    let lines = names.iter().map(|name| event(name, "1").to_string() + "\n").collect::<String>();
    let publish = server.request("POST", "/publish").header("content-type", "application/x-ndjson");
    publish.body(lines).send().expect_status(202);
    let (mut found, mut path) = (Vec::new(), "/topics?limit=700".to_owned());
    loop {
        let page = server.get(&path).expect_status(200);
        let topics = page.json();
        found.extend(topics.as_array().unwrap().iter().map(|topic| topic["topic"].as_str().unwrap().to_owned()));
        let Some(next) = page.next_page() else { break };
        path = next;
    }
    assert_eq!(found, names);
    assert_eq!(server.get("/topics").json().as_array().unwrap().len(), 1_000);
    let stats = server.get("/stats").json();
    assert_eq!((&stats["topics"], &stats["topic_count"]), (&json!(names[..1_000]), &json!(2_500)));
    assert_eq!(server.get("/events/count").json()["count"], 2_500);
    server.get("/topics?limit=10001").expect_error(400, "invalid_parameter");
}

#[test]
fn conflicts_are_found_whatever_partition_their_events_are_in() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 8);
    let topics = ["a", "b", "c", "d", "e", "f", "g"];
    publish_numbered(&server, &topics, 7);
    for (number, topic) in topics.into_iter().enumerate() {
        let mut other = event(topic, &number.to_string());
        other["payload"] = json!({"other": topic});
        server.publish(&other).expect_status(202);
    }
    let found = server.get("/events?topic=$conflicts").expect_status(200).json();
    let of = |event: &Value| event["payload"]["topic"].as_str().unwrap().to_owned();
    assert_eq!(found.as_array().unwrap().iter().map(of).collect::<Vec<_>>(), topics);
    assert_eq!(all_pages(&server, "topic=$conflicts&limit=2").concat().len(), 7);
    assert_eq!(server.get("/events/count?topic=$conflicts").json()["count"], 7);
    for event in found.as_array().unwrap() {
        let id = event["event_id"].as_str().unwrap();
        assert_eq!(ids(&server.get(&format!("/events?topic=$conflicts&event_id={id}"))), [id]);
        assert_eq!(server.get(&format!("/events/$conflicts/{id}")).expect_status(200).json()["event_id"], id);
    }
}

#[test]
fn a_cursor_survives_a_restart_and_what_came_since() {
    let server = TestServer::start();
    publish_numbered(&server, &["t"], 5);
    let cursor = server.get("/events?limit=3").header("x-next-cursor").unwrap().to_owned();
    let server = server.restart();
    server.publish(&event("t", "5")).expect_status(202);
    assert_eq!(ids(&server.get(&format!("/events?after={cursor}"))), numbered(3..6));
}

#[test]
fn cursors_that_are_not_ours_are_400() {
    let server = TestServer::start();
    publish_numbered(&server, &["t"], 3);
    let cursor = server.get("/events?limit=1").header("x-next-cursor").unwrap().to_owned();
    let other = TestServer::start();
    other.get(&format!("/events?after={cursor}")).expect_error(400, "invalid_cursor");
    let (changed, short) = (cursor.replacen('A', "B", 1), &cursor[1..]);
    for wrong in ["", "x", "1", ".", &changed, short, &format!("{cursor}A"), &"A".repeat(10_000)] {
        server.get(&format!("/events?after={wrong}")).expect_error(400, "invalid_cursor");
    }
    server.get(&format!("/events?after={cursor}&order=desc")).expect_error(400, "invalid_cursor");
    server.get(&format!("/events?after={cursor}&topic=t")).expect_error(400, "invalid_cursor");
    server.get(&format!("/events?after={cursor}&order=asc&limit=9")).expect_status(200);
}

#[test]
fn a_page_has_1000_events_unless_told_otherwise() {
    let server = TestServer::start();
    let events: Vec<_> = (0..10_500).map(|number| event("t", &number.to_string())).collect();
    server.publish(&Value::from(events)).expect_status(202);
    assert_eq!(ids(&server.get("/events")), numbered(0..1000));
    assert_eq!(ids(&server.get("/events?limit=10000")).len(), 10_000);
    let stream = |path: &str| server.request("GET", path).header("accept", "application/x-ndjson").send().body;
    assert_eq!(stream("/events").lines().count(), 10_500);
    assert_eq!(stream("/events?limit=10200").lines().count(), 10_200);
    let last: Value = serde_json::from_str(stream("/events?order=desc&limit=1").trim_end()).unwrap();
    assert_eq!(last["event_id"], "10499");
}

#[test]
fn a_page_of_large_events_ends_early() {
    let server = TestServer::start();
    for batch in 0..2 {
        let large = |number: usize| {
            let mut event = event("t", &(batch * 15 + number).to_string());
            event["payload"] = json!({"text": "x".repeat(1_000_000)});
            event
        };
        server.publish(&Value::from((0..15).map(large).collect::<Vec<_>>())).expect_status(202);
    }
    let pages = all_pages(&server, "");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [17, 13]);
    assert_eq!(pages.concat(), numbered(0..30));
}

#[test]
fn an_event_is_found_by_its_key_however_odd() {
    let server = TestServer::start();
    for (topic, id, path) in [
        ("a/b", "1", "/events/a%2Fb/1"),
        ("a b+c", "ü?#%", "/events/a%20b+c/%C3%BC%3F%23%25"),
        ("..", ".", "/events/%2E%2E/%2E"),
    ] {
        server.publish(&event(topic, id)).expect_status(202);
        if topic == ".." {
            // URL libraries resolve dots, so this request is written by hand.
            let answer = crate::connections::raw(&server, &format!("GET {path} HTTP/1.0\r\n\r\n"));
            assert!(answer.contains("\"topic\":\"..\""), "{answer}");
        } else {
            let found = server.get(path).expect_status(200).json();
            assert_eq!((&found["topic"], &found["event_id"]), (&json!(topic), &json!(id)));
        }
    }
}

#[test]
fn health_is_told() {
    let server = TestServer::start();
    server.get("/livez").expect(200, &expect![[r#"{"status":"live"}"#]]);
    server.get("/readyz").expect(200, &expect![[r#"{"status":"ready"}"#]]);
}

#[test]
fn the_last_page_says_where_to_go_on() {
    let server =
        TestServer::start_with(std::sync::Arc::new(sekali_store::disk::RealDisk), |config| config.partitions = 3);
    let ids = |answer: &crate::server::Answer| {
        let events = answer.json();
        events
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["event_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let empty = server.get("/events?source=nobody&topic=a").expect_status(200);
    let begin = empty.header("x-resume-cursor").unwrap().to_owned();
    for id in ["1", "2", "3"] {
        server.publish(&event("a", id)).expect_status(202);
    }
    let first = server.get(&format!("/events?topic=a&limit=2&after={begin}")).expect_status(200);
    assert_eq!((ids(&first).len(), first.header("x-resume-cursor")), (2, None));
    let next = first.header("x-next-cursor").unwrap().to_owned();
    let last = server.get(&format!("/events?topic=a&limit=2&after={next}")).expect_status(200);
    assert_eq!((ids(&last), last.header("x-next-cursor")), (vec!["3".to_owned()], None));
    let resume = last.header("x-resume-cursor").unwrap().to_owned();
    server.publish(&event("a", "4")).expect_status(202);
    let since = server.get(&format!("/events?topic=a&after={resume}")).expect_status(200);
    assert_eq!(ids(&since), ["4"]);
    let idle = since.header("x-resume-cursor").unwrap().to_owned();
    let nothing = server.get(&format!("/events?topic=a&after={idle}")).expect_status(200);
    assert_eq!(ids(&nothing), Vec::<String>::new());
    assert_eq!(nothing.header("x-resume-cursor"), Some(idle.as_str()));
    assert_eq!(server.get("/events?order=desc").header("x-resume-cursor"), None);
}
