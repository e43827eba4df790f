//! Splunk's HTTP Event Collector.

use expect_test::expect;
use serde_json::json;

use super::{counted, events, quarantined, send};
use crate::server::TestServer;

const EVENT: &str = "/services/collector/event";
/// Two objects without anything between them, as splunk-handler sends them.
const BODY: &str = r#"{"time":"1761339600.123456","host":"a","sourcetype":"shop","event":"first"}{"time":1761339600.123457,"host":"a","sourcetype":"shop","event":{"n":2},"fields":{"event_id":"e2"}}"#;

#[test]
fn the_same_batch_again_is_stored_once() {
    let server = TestServer::start();
    for path in ["/services/collector", EVENT, "/services/collector/event/1.0"] {
        send(&server, path, "", BODY).expect(200, &expect![[r#"{"code":0,"text":"Success"}"#]]);
    }
    server.expect_counts(6, 2, 4, 0);
    let stored = events(&server, "topic=shop");
    assert_eq!((&stored[0]["timestamp"], &stored[0]["source"]), (&json!("2025-10-24T21:00:00.123456Z"), &json!("a")));
    assert_eq!(stored[1]["event_id"], "e2");
    assert_eq!(counted(&server, "hec")["request"], 3);
}

#[test]
fn an_acknowledgement_is_given_once_events_are_durable() {
    let server = TestServer::start();
    let request = server.request("POST", EVENT).header("x-splunk-request-channel", "c");
    let id = request.body(BODY).send().expect_status(200).json()["ackId"].as_u64().unwrap();
    let ask = server.request("POST", "/services/collector/ack?channel=c").body(json!({"acks": [id]}).to_string());
    assert_eq!(ask.send().expect_status(200).json(), json!({"acks": {id.to_string(): true}}));
    send(&server, "/services/collector/ack", "", "{\"acks\":[1]}").expect_status(400);
}

#[test]
fn raw_lines_are_events() {
    let server = TestServer::start();
    let path = "/services/collector/raw?sourcetype=access&host=b&time=1761339600";
    send(&server, path, "", b"GET /\n\xff\xfe\nPOST /\n".to_vec()).expect_status(200);
    let stored = events(&server, "topic=access");
    assert_eq!(stored[1]["payload"], json!({"event": "POST /", "host": "b", "sourcetype": "access"}));
    assert_eq!(quarantined(&server)[0]["record_base64"], "//4=");
}

#[test]
fn what_is_no_event_refuses_the_request() {
    let server = TestServer::start();
    for (body, code) in [("", 5), ("{", 6), ("{}", 6), (r#"{"event":"a"}{"event":""}"#, 6), (r#"{"event":"a"}x"#, 6)] {
        let answer = send(&server, EVENT, "", body).expect_status(400).json();
        assert_eq!(answer["code"], code, "{body}");
    }
    server.expect_nothing_stored();
}

#[test]
fn a_conflict_in_the_middle_leaves_the_rest() {
    let server = TestServer::start();
    let event = |id: &str, n: u8| json!({"event": n, "fields": {"event_id": id}}).to_string();
    send(&server, EVENT, "", event("1", 1)).expect_status(200);
    send(&server, EVENT, "", event("0", 1) + &event("1", 2) + &event("2", 1)).expect_status(200);
    server.expect_counts(4, 3, 1, 1);
}

#[test]
fn it_says_that_it_is_healthy() {
    TestServer::start()
        .get("/services/collector/health")
        .expect(200, &expect![[r#"{"code":17,"text":"HEC is healthy"}"#]]);
}
