//! Requests for which there is no room: held, told item by item, or refused in the protocol's way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::send;
use crate::overloaded::Overloaded;

/// Bytes of a body that do not fit into the queue beside what waits there.
const LARGE: usize = 20_000_000;

fn bulk() -> String {
    let text = "y".repeat(900_000);
    let line =
        |n: usize| format!("{{\"create\":{{\"_index\":\"b\",\"_id\":\"{n}\"}}}}\n{{\"n\":{n},\"text\":\"{text}\"}}\n");
    (0..LARGE / text.len()).map(line).collect()
}

#[test]
fn a_bulk_request_is_held_and_stored_once_there_is_room() {
    let mut busy = Overloaded::start();
    let sent = busy.server.request("POST", "/_bulk").body(bulk()).spawn();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!sent.is_finished(), "one refusal of the whole request ends some clients for good");
    busy.release();
    let answer = busy.server.runtime().block_on(sent).unwrap().expect_status(200);
    assert!(answer.body.starts_with(r#"{"took":1,"errors":false"#));
}

#[test]
fn a_bulk_request_that_was_held_too_long_is_told_item_by_item_and_rsyslog_nothing_at_all() {
    let mut busy = Overloaded::start();
    let body = bulk();
    let mut rsyslog = TcpStream::connect(busy.server.address()).unwrap();
    let head = format!(
        "POST /_bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    rsyslog.write_all((head + &body).as_bytes()).unwrap();
    let answer = send(&busy.server, "/_bulk", "application/x-ndjson", body).expect_status(200).json();
    assert_eq!(answer["errors"], true);
    let items = answer["items"].as_array().unwrap();
    assert!(items.iter().all(|item| item["create"]["status"] == 429));
    let mut text = String::new();
    rsyslog.read_to_string(&mut text).unwrap();
    assert_eq!(text, "", "every status makes it drop the batch");
    busy.release();
    assert_eq!(busy.stored("b"), 0);
}

#[test]
fn other_clients_are_told_to_come_back() {
    let mut busy = Overloaded::start();
    let text = "z".repeat(LARGE);
    let line = format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"c","data":"{text}"}}"#);
    let logs = format!(r#"{{"resourceLogs":[],"x":"{text}"}}"#);
    for (path, media_type, body, status) in [
        ("/ingest", "application/json", line.clone(), 503),
        ("/v1/logs", "application/json", logs, 503),
        ("/services/collector", "", line.clone(), 503),
        ("/cloudevents", "application/cloudevents+json", line.clone(), 429),
        ("/v1/batch", "application/json", line.clone(), 503),
    ] {
        let answer = send(&busy.server, path, media_type, body).expect_status(status);
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
    }
    busy.release();
    assert_eq!(busy.stored("c"), 0);
}
