//! Clients that do not take their events, and clients that want too many streams.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_server::limits::TAILS_MAX;
use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use super::client::Stream;
use crate::server::{TestServer, event};

#[test]
fn a_slow_reader_is_told_where_to_go_on_and_nothing_is_skipped() {
    let timeouts = Timeouts { tail_patience: Duration::from_millis(200), ..Timeouts::default() };
    let server = TestServer::start_timed(Arc::new(RealDisk), timeouts, |_| {});
    let mut stream = Stream::open(&server, "");
    let total = 60;
    for id in 0..total {
        let mut event = event("t", &id.to_string());
        event["payload"] = json!({"text": "x".repeat(900_000)});
        server.publish(&event).expect_status(202);
    }
    // It takes nothing for longer than it may.
    std::thread::sleep(Duration::from_secs(2));
    let mut messages = stream.rest(&server);
    let last = messages.pop().unwrap();
    assert_eq!(last.event.as_deref(), Some("behind"));
    assert_eq!(last.data, Some(json!({"cursor": last.id})));
    let mut ids: Vec<_> =
        messages.iter().filter_map(|message| message.data.as_ref()?["event_id"].as_str()).map(str::to_owned).collect();
    assert!(ids.len() < total, "it was not slow");
    let mut rest = Stream::open(&server, &format!("?from={}", last.id));
    ids.extend(rest.event_ids(&server, total - ids.len()));
    assert_eq!(ids, (0..total).map(|id| id.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_reader_with_pauses_gets_everything() {
    let server = TestServer::start();
    let mut stream = Stream::open(&server, "");
    for round in 0..5 {
        let events = (0..400).map(|id| {
            let mut event = event("t", &format!("{round}-{id}"));
            event["payload"] = json!({"text": "x".repeat(5_000)});
            event
        });
        server.publish(&events.collect::<Value>()).expect_status(202);
        std::thread::sleep(Duration::from_millis(300));
        let expected: Vec<_> = (0..400).map(|id| format!("{round}-{id}")).collect();
        assert_eq!(stream.event_ids(&server, 400), expected);
    }
}

#[test]
fn one_client_cannot_have_all_streams_and_places_come_back() {
    let server = TestServer::start();
    let url = format!("http://{}/events/stream", server.address());
    let client = || reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let clients: Vec<_> = (0..TAILS_MAX / 2 / 64).map(|_| client()).collect();
    let open = async {
        let mut open = Vec::new();
        for number in 0..TAILS_MAX / 2 {
            let response = clients[number / 64].get(&url).send().await.unwrap();
            assert_eq!(response.status(), 200, "stream {number}");
            open.push(response);
        }
        open
    };
    let open = server.runtime().block_on(open);
    server.get("/events/stream").expect_error(503, "overloaded");
    let neighbour = reqwest::Client::builder().local_address(std::net::IpAddr::from([127, 0, 0, 2])).build().unwrap();
    assert_eq!(server.runtime().block_on(neighbour.get(&url).send()).unwrap().status(), 200);
    drop((open, clients));
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.request("HEAD", "/events/stream").send().status != 200 {
        assert!(Instant::now() < deadline, "their places do not come back");
        std::thread::sleep(Duration::from_millis(20));
    }
}
