//! Streams that are taken up again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sekali_store::disk::RealDisk;
use serde_json::Value;

use super::client::Stream;
use crate::server::{TestServer, event};

#[test]
fn neither_gap_nor_repeat_across_restarts_under_load() {
    let mut server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 2);
    let published = AtomicU64::new(0);
    let mut seen: Vec<(String, u64)> = Vec::new();
    let mut last_id: Option<String> = None;
    for _ in 0..4 {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let first = published.fetch_add(40, Ordering::Relaxed);
                    let events = (first..first + 40).map(|id| event(&format!("t{}", id % 3), &id.to_string()));
                    server.publish(&events.collect::<Value>()).expect_status(202);
                }
            });
            let headers: Vec<_> = last_id.iter().map(|id| ("last-event-id", id.as_str())).collect();
            let mut stream = Stream::open_with(&server, "?from=beginning", &headers);
            for _ in 0..1_500 {
                let event = stream.event(&server);
                seen.push((
                    event["topic"].as_str().unwrap().to_owned(),
                    event["event_id"].as_str().unwrap().parse().unwrap(),
                ));
            }
            last_id = Some(stream.last_id.clone());
            done.store(true, Ordering::Relaxed);
        });
        server = server.restart();
    }
    let total = published.load(Ordering::Relaxed) as usize;
    let id = last_id.unwrap();
    let mut stream = Stream::open_with(&server, "", &[("last-event-id", &id)]);
    while seen.len() < total {
        let event = stream.event(&server);
        seen.push((event["topic"].as_str().unwrap().to_owned(), event["event_id"].as_str().unwrap().parse().unwrap()));
    }
    for topic in ["t0", "t1", "t2"] {
        let ids: Vec<_> = seen.iter().filter(|(seen, _)| seen == topic).map(|(_, id)| *id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{topic} is out of order, or repeats");
    }
    let mut ids: Vec<_> = seen.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..total as u64).collect::<Vec<_>>());
}

#[test]
fn cursors_of_pages_and_streams_are_the_same() {
    let server = TestServer::start();
    for id in 0..6 {
        server.publish(&event("t", &id.to_string())).expect_status(202);
    }
    for scope in ["", "topic=t&"] {
        let page = server.get(&format!("/events?{scope}limit=2"));
        let cursor = page.header("x-next-cursor").unwrap();
        let mut stream = Stream::open(&server, &format!("?{scope}from={cursor}"));
        assert_eq!(stream.event_ids(&server, 2), ["2", "3"]);
        let page = server.get(&format!("/events?{scope}after={}", stream.last_id)).json();
        assert_eq!((page[0]["event_id"].as_str(), page.as_array().unwrap().len()), (Some("4"), 2));
        let mut stream = Stream::open(&server, &format!("?{scope}after={cursor}"));
        assert_eq!(stream.event_ids(&server, 1), ["2"]);
    }
}
