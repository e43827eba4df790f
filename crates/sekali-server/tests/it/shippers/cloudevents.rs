//! CloudEvents.

use serde_json::json;

use super::{events, send};
use crate::server::{Answer, TestServer};

const PATH: &str = "/cloudevents";
const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=utf-8";

fn binary(server: &TestServer, id: &str, source: &str, body: &str) -> Answer {
    let request = server.request("POST", PATH).header("ce-specversion", "1.0").header("ce-type", "order");
    let request = request.header("ce-id", id).header("ce-source", source).header("ce-time", "2025-10-24T21:00:00Z");
    request.header("content-type", "application/json").body(body.to_owned()).send()
}

fn event(id: &str, n: u64) -> serde_json::Value {
    json!({"specversion": "1.0", "id": id, "source": "/shop", "type": "order", "datacontenttype": "application/json", "data": {"n": n}})
}

#[test]
fn every_mode_has_the_same_identity() {
    let server = TestServer::start();
    send(&server, PATH, STRUCTURED, event("1", 1).to_string()).expect_status(202);
    send(&server, PATH, BATCH, json!([event("1", 1), event("2", 1)]).to_string()).expect_status(202);
    send(&server, PATH, BATCH, "[]").expect_status(202);
    binary(&server, "3%20%E2%82%AC", "/shop", r#"{"n":1}"#).expect_status(202);
    binary(&server, "3%20%E2%82%AC", "/shop", r#"{"n":1}"#).expect_status(202);
    let stored = events(&server, "topic=order");
    let ids: Vec<_> = stored.iter().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["/shop 1", "/shop 2", "/shop 3 €"]);
    assert_eq!((&stored[2]["source"], &stored[2]["payload"]["data"]), (&json!("/shop"), &json!({"n": 1})));
    server.expect_counts(5, 3, 2, 0);
}

#[test]
fn two_sources_may_use_the_same_id() {
    let server = TestServer::start();
    binary(&server, "1", "/a", "{}").expect_status(202);
    binary(&server, "1", "/b", "{}").expect_status(202);
    server.expect_counts(2, 2, 0, 0);
    binary(&server, "1", "/a b", "{}").expect_status(400);
}

#[test]
fn a_conflict_is_told_for_a_single_event_and_leaves_the_rest_of_a_batch() {
    let server = TestServer::start();
    send(&server, PATH, STRUCTURED, event("1", 1).to_string()).expect_status(202);
    assert_eq!(
        send(&server, PATH, STRUCTURED, event("1", 2).to_string()).expect_status(409).json()["code"],
        "conflict"
    );
    let batch = json!([event("0", 1), event("1", 3), event("2", 1)]).to_string();
    assert_eq!(send(&server, PATH, BATCH, batch).expect_status(202).json()["conflicts"], 1);
    server.expect_counts(5, 3, 2, 2);
}

#[test]
fn an_invalid_event_in_the_middle_refuses_the_batch() {
    let server = TestServer::start();
    for missing in ["specversion", "id", "source", "type"] {
        let mut wrong = event("1", 1);
        wrong.as_object_mut().unwrap().remove(missing);
        let batch = json!([event("0", 1), wrong, event("2", 1)]).to_string();
        let answer = send(&server, PATH, BATCH, batch).expect_status(400).json();
        assert!(answer["message"].as_str().unwrap().contains(missing), "{answer}");
    }
    send(&server, PATH, STRUCTURED, "{").expect_status(400);
    send(&server, PATH, BATCH, "{}").expect_status(400);
    send(&server, PATH, "application/cloudevents+avro", "x").expect_status(415);
    let request = server.request("POST", PATH).header("ce-id", "%C0%A0").header("ce-specversion", "1.0");
    request.header("ce-type", "t").header("ce-source", "s").send().expect_status(400);
    server.expect_nothing_stored();
}

#[test]
fn data_of_any_type_is_kept() {
    let server = TestServer::start();
    let send = |id: &str, media_type: &str, body: &[u8]| {
        let request = server.request("POST", PATH).header("ce-specversion", "1.0").header("ce-type", "t");
        let request = request.header("ce-id", id).header("ce-source", "s").header("content-type", media_type);
        request.body(body.to_vec()).send().expect_status(202);
    };
    send("1", "text/plain", b"text");
    send("2", "application/octet-stream", b"\xff\x00");
    send("3", "application/json", b"[1]");
    let stored = events(&server, "topic=t");
    assert_eq!(stored[0]["payload"]["data"], "text");
    assert_eq!(stored[1]["payload"]["data_base64"], "/wA=");
    assert_eq!(stored[2]["payload"]["data"], json!([1]));
}

#[test]
fn a_sender_is_told_that_its_events_are_wanted() {
    let server = TestServer::start();
    let answer =
        server.request("OPTIONS", PATH).header("webhook-request-origin", "example.com").send().expect_status(200);
    assert_eq!(answer.header("webhook-allowed-origin"), Some("example.com"));
}
