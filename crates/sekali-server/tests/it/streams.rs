//! Streams of events that no client reads.

use std::time::{Duration, Instant};

use sekali_server::limits::{STREAMS_MAX, STREAMS_PER_CONNECTION_MAX};
use serde_json::{Value, json};

use crate::server::{TestServer, event};

#[test]
fn streams_beyond_the_limit_are_refused_and_nobody_else_is() {
    let server = TestServer::start();
    let payload = json!({"text": "x".repeat(900_000)});
    let events = (0..4).map(|id| {
        let mut event = event("t", &id.to_string());
        event["payload"] = payload.clone();
        event
    });
    server.publish(&events.collect::<Value>()).expect_status(202);
    let lines = || server.request("GET", "/events").header("accept", "application/x-ndjson");
    // One client may have half of those that are free.
    let stuck = open_streams(&server, STREAMS_MAX / 2);
    lines().send().expect_error(503, "overloaded");
    let neighbour = reqwest::Client::builder().local_address(std::net::IpAddr::from([127, 0, 0, 2])).build().unwrap();
    let url = format!("http://{}/events", server.address());
    let request = neighbour.get(url).header("accept", "application/x-ndjson").send();
    assert_eq!(server.runtime().block_on(request).unwrap().status(), 200);
    server.get("/events?limit=1").expect_status(200);
    server.get("/livez").expect_status(200);
    server.publish(&event("t", "more")).expect_status(202);
    drop(stuck);
    let deadline = Instant::now() + Duration::from_secs(30);
    while lines().send().status != 200 {
        assert!(Instant::now() < deadline, "their places do not come back");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Opens this many unread streams, over few connections with small windows.
fn open_streams(server: &TestServer, count: usize) -> Vec<reqwest::Response> {
    let url = format!("http://{}/events", server.address());
    let client = || {
        reqwest::Client::builder()
            .http2_prior_knowledge()
            .http2_initial_stream_window_size(65_535)
            .http2_initial_connection_window_size(64 << 20)
            .build()
            .unwrap()
    };
    let clients: Vec<_> = (0..count.div_ceil(STREAMS_PER_CONNECTION_MAX as usize)).map(|_| client()).collect();
    let open = async {
        let mut open = Vec::new();
        for number in 0..count {
            let request = clients[number % clients.len()].get(&url).header("accept", "application/x-ndjson");
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "stream {number}");
            open.push(response);
        }
        open
    };
    server.runtime().block_on(open)
}
