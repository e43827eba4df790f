//! Reads with filters, compared with a plain vector.

mod model;

use std::sync::Arc;

use proptest::test_runner::{Config, TestRunner};
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::server::{TestServer, event};
use model::{Asked, Known, time};

const EVENTS: usize = 80;
const QUESTIONS: u32 = 250;

#[test]
fn filters_find_what_a_plain_search_finds() {
    let mut runner = TestRunner::new(Config { cases: QUESTIONS, failure_persistence: None, ..Config::default() });
    let known = model::events(&mut runner, EVENTS);
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    for event in &known {
        server.request("POST", "/publish").body(event.json()).send().expect_status(202);
    }
    let ask = |asked: Asked| {
        let mut expected: Vec<_> = known.iter().filter(|event| event.matches(&asked, &known)).collect();
        if asked.descending {
            expected.reverse();
        }
        check(&server, &asked.query(&known), &expected, &asked);
        Ok(())
    };
    runner.run(&Asked::strategy(), ask).unwrap();
}

/// Compares every kind of response with the expected events.
#[track_caller]
fn check(server: &TestServer, query: &str, expected: &[&Known], asked: &Asked) {
    let ids: Vec<_> = expected.iter().map(|event| event.id.clone()).collect();
    let order = if asked.descending { "order=desc&" } else { "" };
    let id = |event: &Value| event["event_id"].as_str().unwrap().to_owned();
    let stream = |accept| {
        let answer = server.request("GET", &format!("/events?{query}{order}")).header("accept", accept).send();
        answer.expect_status(200).body
    };

    let paged: Vec<_> = pages(server, &format!("/events?{query}{order}limit=7")).iter().flatten().map(id).collect();
    assert_eq!(paged, ids, "{query}");
    let lines = stream("application/x-ndjson");
    let streamed: Vec<_> = lines.lines().map(|line| id(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(streamed, ids, "{query}");
    let table = stream("text/csv");
    let rows = csv::Reader::from_reader(table.as_bytes());
    let listed: Vec<_> = rows.into_records().map(|row| row.unwrap()[1].to_owned()).collect();
    assert_eq!(listed, ids, "{query}");

    assert_eq!(server.get(&format!("/events/count?{query}")).json()["count"], ids.len(), "{query}");
    let counted = server.get(&format!("/events/count?{query}interval=90s")).expect_status(200).json();
    let buckets: Vec<_> = model::buckets(expected, asked, 90)
        .into_iter()
        .map(|(start, count)| json!({"start": time(start), "count": count}))
        .collect();
    assert_eq!((&counted["count"], &counted["interval_seconds"]), (&json!(ids.len()), &json!(90)), "{query}");
    assert_eq!(counted["buckets"], json!(buckets), "{query}");
}

/// Follows the links from the first page to the last.
fn pages(server: &TestServer, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut path) = (Vec::new(), path.to_owned());
    loop {
        let answer = server.get(&path).expect_status(200);
        pages.push(answer.json().as_array().unwrap().clone());
        let Some(next) = answer.next_page() else { return pages };
        path = next;
    }
}

/// Many small events of topic `t`, numbered from `first`.
fn publish_many(server: &TestServer, first: usize, count: usize, payload: &str) {
    let mut body = String::new();
    for id in first..first + count {
        body += &format!(
            "{{\"topic\":\"t\",\"event_id\":\"{id}\",\"timestamp\":\"2025-10-24\",\"source\":\"s\",\"payload\":{payload}}}\n"
        );
    }
    let request = server.request("POST", "/publish").header("content-type", "application/x-ndjson");
    request.body(body).send().expect_status(202);
}

#[test]
fn a_rare_event_is_found_over_several_pages() {
    let server = TestServer::start();
    for part in 0..3 {
        publish_many(&server, part * 100_000, 100_000, "{}");
    }
    server.publish(
        &json!({"topic": "t", "event_id": "rare", "timestamp": "2025-10-24", "source": "rare", "payload": {}}),
    );
    let pages = pages(&server, "/events?source=rare");
    assert!(pages.len() > 1 && pages[0].is_empty(), "{} pages", pages.len());
    assert_eq!(pages.concat().len(), 1);
    let lines = server.request("GET", "/events?source=rare").header("accept", "application/x-ndjson").send();
    assert_eq!(lines.body.lines().count(), 1, "streams are not cut");
    assert_eq!(server.get("/events/count?source=rare").json()["count"], 1);
    // A look-up, which examines no other events.
    let found = server.get("/events?topic=t&event_id=299999&source=s");
    assert_eq!((found.json()[0]["seq"].as_u64(), found.header("link")), (Some(300_000), None));
}

#[test]
fn a_look_up_heeds_the_cursor_and_the_other_filters() {
    let server = TestServer::start();
    publish_many(&server, 0, 4, "{}");
    let cursor = server.get("/events?topic=t&limit=2").header("x-next-cursor").unwrap().to_owned();
    let found = |query: &str| server.get(&format!("/events?topic=t&event_id={query}")).json().as_array().unwrap().len();
    assert_eq!(found("1"), 1);
    assert_eq!(found(&format!("1&after={cursor}")), 0);
    assert_eq!(found(&format!("2&after={cursor}")), 1);
    assert_eq!((found("1&source=other"), found("none"), found("1&limit=1")), (0, 0, 1));
    let cursor = server.get("/events?topic=t&limit=2&order=desc").header("x-next-cursor").unwrap().to_owned();
    assert_eq!(found(&format!("1&order=desc&after={cursor}")), 1);
    assert_eq!(found(&format!("2&order=desc&after={cursor}")), 0);
}

#[test]
fn a_long_stream_sees_one_moment_while_events_are_published() {
    // More than the sockets buffer, so that most of it is read after the later events were
    // published.
    const BEFORE: usize = 15_000;
    let server = TestServer::start();
    let payload = format!("{{\"text\":\"{}\"}}", "x".repeat(2_000));
    publish_many(&server, 0, BEFORE, &payload);
    for (accept, query, header) in
        [("application/x-ndjson", "", 0), ("application/x-ndjson", "q=XX", 0), ("text/csv", "source=s", 1)]
    {
        let url = format!("http://{}/events?topic=t&{query}", server.address());
        let request = reqwest::Client::new().get(url).header("accept", accept).send();
        let mut response = server.runtime().block_on(request).unwrap();
        let mut text = server.runtime().block_on(response.chunk()).unwrap().unwrap().to_vec();
        let before = server.get("/events/count").json()["count"].as_u64().unwrap() as usize;
        publish_many(&server, before, 100, &payload);
        text.extend(server.runtime().block_on(response.bytes()).unwrap());
        assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), before + header, "{accept} {query}");
    }
}

#[test]
fn counts_leave_reserved_topics_out_unless_asked() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let mut conflict = event("t", "1");
    conflict["payload"] = json!({"n": [{"k": 1.50}]});
    server.publish(&conflict).expect_status(202);
    let count = |query: &str| server.get(&format!("/events/count?{query}")).json()["count"].as_u64().unwrap();
    assert_eq!((count(""), count("topic=t"), count("topic=%24conflicts"), count("topic=x")), (1, 1, 1, 0));
    assert_eq!((count("q=e"), count("q=e&topic=%24conflicts")), (1, 1));
    assert_eq!(count("topic=%24conflicts&payload.payload.n.0.k=1.5"), 1);
    let over_time = server.get("/events/count?topic=x&interval=1h").json();
    assert_eq!((&over_time["count"], &over_time["buckets"]), (&json!(0), &json!([])));
}

#[test]
fn too_many_buckets_are_refused() {
    let server = TestServer::start();
    let mut old = event("t", "1");
    old["timestamp"] = json!("1970-01-01");
    server.publish(&json!([old, event("t", "2")])).expect_status(202);
    for query in ["interval=1h", "interval=1s&since=2025-01-01&until=2025-01-02", "interval=1s&since=1700-01-01"] {
        server.get(&format!("/events/count?{query}")).expect_error(400, "invalid_parameter");
    }
    let counted = server.get("/events/count?interval=366d").json();
    assert_eq!((&counted["count"], counted["buckets"].as_array().unwrap().len()), (&json!(2), 56));
}
