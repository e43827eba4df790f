//! Requests that wait for events.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::{TestServer, event};

#[test]
fn a_page_without_events_waits_for_one_that_matches() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let cursor = server.get("/events?topic=t&wait=60s").expect_status(200);
    assert_eq!(cursor.json()[0]["event_id"], "1", "events that are there are not waited for");
    let cursor = cursor.header("x-resume-cursor").unwrap().to_owned();
    for round in 2..6 {
        let waiting =
            server.request("GET", &format!("/events?topic=t&payload.n={round}&wait=60s&after={cursor}")).spawn();
        let mut wanted = event("t", &round.to_string());
        wanted["payload"] = json!({"n": round});
        let mut other = event("u", &round.to_string());
        other["payload"] = json!({"n": round});
        for event in [other, event("t", &format!("other-{round}")), wanted] {
            server.publish(&event).expect_status(202);
        }
        let answer = server.runtime().block_on(waiting).unwrap().expect_status(200);
        let ids: Vec<_> = answer.json().as_array().unwrap().iter().map(|event| event["event_id"].clone()).collect();
        assert_eq!(ids, [round.to_string()]);
    }
}

#[test]
fn a_wait_ends_with_a_cursor_behind_all_that_was_looked_at() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let answer = server.get("/events?topic=t&payload.x=1&wait=100ms").expect_status(200);
    assert_eq!(answer.body, "[]");
    assert_eq!(answer.header("x-next-cursor"), None);
    let cursor = answer.header("x-resume-cursor").unwrap().to_owned();
    server.publish(&event("t", "2")).expect_status(202);
    let page = server.get(&format!("/events?topic=t&after={cursor}")).json();
    assert_eq!((page[0]["event_id"].as_str(), page.as_array().unwrap().len()), (Some("2"), 1));
}

#[test]
fn a_loop_of_waiting_requests_gets_every_event_once() {
    let server = TestServer::start();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for id in 0..200 {
                server.publish(&event("t", &id.to_string())).expect_status(202);
            }
        });
        let (mut seen, mut after) = (Vec::new(), String::new());
        while seen.len() < 200 {
            let page = server.get(&format!("/events?topic=t&wait=60s{after}")).expect_status(200);
            let ids = page.json();
            seen.extend(ids.as_array().unwrap().iter().map(|event| event["event_id"].as_str().unwrap().to_owned()));
            let cursor = page.header("x-next-cursor").or(page.header("x-resume-cursor")).unwrap();
            after = format!("&after={cursor}");
        }
        assert_eq!(seen, (0..200).map(|id| id.to_string()).collect::<Vec<_>>());
    });
}

#[test]
fn a_waiting_request_does_not_hold_up_the_end_of_the_server() {
    let mut server = TestServer::start();
    let waiting = server.request("GET", "/events?topic=none&wait=60s").spawn();
    // The second began later and has ended, so that the first one waits.
    server.get("/events?topic=none&wait=50ms").expect_status(200);
    let begun = Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!(server.runtime().block_on(waiting).unwrap().expect_status(200).body, "[]");
}

#[test]
fn wrong_waits_are_refused() {
    let server = TestServer::start();
    for wait in ["", "0s", "61s", "1h", "-1s", "5", "1.5s"] {
        server.get(&format!("/events?wait={wait}")).expect_error(400, "invalid_parameter");
    }
    server.get("/events?wait=1s&order=desc").expect_error(400, "invalid_parameter");
    let lines = server.request("GET", "/events?wait=1s").header("accept", "application/x-ndjson").send();
    lines.expect_error(400, "invalid_parameter");
}
