//! Segment's HTTP API.

use expect_test::expect;
use serde_json::json;

use super::{events, quarantined, send};
use crate::server::TestServer;

const JSON: &str = "application/json";

fn message(id: &str, sent_at: &str) -> serde_json::Value {
    json!({"type": "track", "event": "paid", "messageId": id, "timestamp": "2025-10-24T21:00:00Z", "sentAt": sent_at})
}

#[test]
fn a_retry_is_a_repeat_although_it_was_sent_at_another_time() {
    let server = TestServer::start();
    for sent_at in ["2025-10-24T21:00:01Z", "2025-10-24T21:00:09Z"] {
        let batch = json!({"batch": [message("1", sent_at), message("2", sent_at)], "sentAt": sent_at});
        send(&server, "/v1/batch", JSON, batch.to_string()).expect(200, &expect![[r#"{"success":true}"#]]);
        send(&server, "/v1/track", JSON, message("3", sent_at).to_string()).expect_status(200);
    }
    server.expect_counts(6, 3, 3, 0);
    let stored = events(&server, "topic=segment.track");
    assert_eq!((&stored[2]["event_id"], &stored[2]["timestamp"]), (&json!("3"), &json!("2025-10-24T21:00:00Z")));
    assert_eq!(stored[2]["payload"]["event"], "paid");
}

#[test]
fn a_conflict_and_what_is_no_message_leave_the_rest() {
    let server = TestServer::start();
    send(&server, "/v1/batch", JSON, json!({"batch": [message("1", "")]}).to_string()).expect_status(200);
    let mut other = message("1", "");
    other["event"] = json!("refunded");
    let batch = json!({"batch": [message("0", ""), other, 5, message("2", "")]});
    send(&server, "/v1/batch", JSON, batch.to_string()).expect_status(200);
    assert_eq!((events(&server, "topic=segment.track").len(), quarantined(&server).len()), (3, 1));
    assert_eq!(server.get("/stats").json()["conflicts"], 1);
}

#[test]
fn what_is_no_request_stores_nothing() {
    let server = TestServer::start();
    for body in ["", "{", "{}", "{\"batch\":1}"] {
        let answer = send(&server, "/v1/batch", JSON, body);
        assert!(matches!(answer.status, 400 | 422), "{}", answer.body);
        assert_eq!(answer.json()["success"], false);
    }
    server.expect_nothing_stored();
}
