//! Streams that have caught up.

use std::sync::Arc;
use std::time::Duration;

use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use super::client::Stream;
use crate::server::{TestServer, event};

#[test]
fn events_come_once_they_are_stored_and_none_from_before() {
    let server = TestServer::start();
    server.publish(&event("t", "old")).expect_status(202);
    let mut stream = Stream::open(&server, "");
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert!(stream.header("cache-control").contains("no-cache"));
    assert_eq!(stream.header("x-accel-buffering"), "no");
    for id in ["1", "2"] {
        server.publish(&json!([event("t", id), event("t", "old")])).expect_status(202);
        let seen = stream.event(&server);
        assert_eq!(seen, server.get(&format!("/events/t/{id}")).json());
    }
    let mut whole = Stream::open(&server, "?from=beginning");
    assert_eq!(whole.event_ids(&server, 3), ["old", "1", "2"]);
    server.publish(&event("t", "3")).expect_status(202);
    assert_eq!(
        (stream.event_ids(&server, 1), whole.event_ids(&server, 1)),
        (vec!["3".to_owned()], vec!["3".to_owned()])
    );
}

#[test]
fn each_of_hundreds_of_streams_gets_its_own_events_and_all_of_them() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    let topic = |number: usize| format!("topic-{}", number % 50);
    let query = |number: usize| match number % 4 {
        0 => format!("?topic={}", topic(number)),
        1 => format!("?payload.n={}", number % 50),
        2 => format!("?topic={}*&not.payload.n=1000", topic(number)),
        _ => format!("?match.event_id=^{}-", number % 50),
    };
    let mut streams: Vec<_> = (0..300).map(|number| Stream::open(&server, &query(number))).collect();
    for round in 0..4 {
        let events = (0..50).map(|n| {
            let mut event = event(&topic(n), &format!("{n}-{round}"));
            event["payload"] = json!({"n": n});
            event
        });
        server.publish(&events.collect::<Value>()).expect_status(202);
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        let n = number % 50;
        // A pattern may match the topics of others.
        let is_mine = |id: &str| id.starts_with(&format!("{n}-"));
        let mut mine = Vec::new();
        while mine.len() < 4 {
            mine.extend(
                stream
                    .event_ids(&server, 1)
                    .into_iter()
                    .filter(|id| number % 4 == 2 || is_mine(id))
                    .filter(|id| is_mine(id)),
            );
        }
        assert_eq!(mine, (0..4).map(|round| format!("{n}-{round}")).collect::<Vec<_>>(), "{}", query(number));
    }
    server.publish(&event("topic-7", "last")).expect_status(202);
    let mut of_topic: Vec<_> =
        streams.iter_mut().enumerate().filter(|(number, _)| number % 4 == 0 && number % 50 == 7).collect();
    of_topic.iter_mut().for_each(|(_, stream)| assert_eq!(stream.event_ids(&server, 1), ["last"]));
}

#[test]
fn a_single_event_and_conflicts_can_be_waited_for() {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    let mut one = Stream::open(&server, "?topic=t&event_id=5");
    let mut conflicts = Stream::open(&server, "?topic=$conflicts");
    for id in 0..10 {
        server.publish(&event("t", &id.to_string())).expect_status(202);
    }
    assert_eq!(one.event(&server)["event_id"], "5");
    let mut other = event("t", "5");
    other["payload"] = json!({"other": true});
    server.publish(&other).expect_status(202);
    assert_eq!(conflicts.event(&server)["topic"], "$conflicts");
}

#[test]
fn a_silent_stream_shows_that_it_lives_and_moves_on() {
    let timeouts = Timeouts { tail_heartbeat: Duration::from_millis(100), ..Timeouts::default() };
    let server = TestServer::start_timed(Arc::new(RealDisk), timeouts, |_| {});
    let mut stream = Stream::open(&server, "?payload.message=never");
    let begin = stream.last_id.clone();
    server.publish(&event("t", "1")).expect_status(202);
    let seq_1 = Stream::open(&server, "?payload.message=never").last_id;
    assert_ne!(begin, seq_1);
    while stream.last_id != seq_1 {
        let message = stream.next(&server).unwrap();
        assert_eq!((message.event, message.data), (None, None));
    }
}

#[test]
fn a_stream_ends_with_the_server_and_does_not_hold_it_up() {
    let mut server = TestServer::start();
    let mut streams: Vec<_> = (0..20).map(|_| Stream::open(&server, "?from=beginning")).collect();
    server.publish(&event("t", "1")).expect_status(202);
    for stream in &mut streams {
        while stream.next(&server).unwrap().data.is_none() {}
    }
    let begun = std::time::Instant::now();
    server.stop();
    assert!(begun.elapsed() < Duration::from_secs(6), "the server waited until it cut off its clients");
    for stream in &mut streams {
        assert!(stream.rest(&server).into_iter().all(|message| message.data.is_none()));
    }
}

#[test]
fn wrong_beginnings_are_refused() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let cursor = Stream::open(&server, "").last_id;
    server.get("/events/stream?from=yesterday").expect_error(400, "invalid_cursor");
    server.get(&format!("/events/stream?from={cursor}&topic=t")).expect_error(400, "invalid_cursor");
    server.get(&format!("/events/stream?from=now&after={cursor}")).expect_error(400, "invalid_parameter");
    server.get("/events/stream?order=desc").expect_error(400, "invalid_parameter");
    server.get("/events/stream?payload.x!=1").expect_error(400, "invalid_parameter");
    let last = server.request("GET", "/events/stream?from=beginning").header("last-event-id", "7");
    last.send().expect_error(400, "invalid_cursor");
    server.request("POST", "/events/stream").send().expect_error(405, "method_not_allowed");
}
