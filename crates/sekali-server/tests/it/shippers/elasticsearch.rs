//! Elasticsearch and OpenSearch.

use serde_json::{Value, json};

use super::{counted, events, gzip, quarantined, send};
use crate::server::{Answer, TestServer};

const NDJSON: &str = "application/x-ndjson";

const BULK: &str = r#"{"create":{"_index":"logs","_id":"1"}}
{"@timestamp":"2025-10-24T21:00:00Z","host":{"name":"a"},"message":"one"}
{"index":{"_index": "logs", "_id":2}, "attempts":1}
{"message":"two"}
"#;

fn items(answer: &Answer) -> Vec<Value> {
    answer.json()["items"].as_array().unwrap().clone()
}

/// The operation of each item, its status and its result or the type of its error.
fn outcomes(answer: &Answer) -> Vec<String> {
    let outcome = |item: &Value| {
        let (operation, about) = item.as_object().unwrap().iter().next().unwrap();
        let result = about["result"].as_str().or_else(|| about["error"]["type"].as_str()).unwrap();
        format!("{operation} {} {result}", about["status"])
    };
    items(answer).iter().map(outcome).collect()
}

#[test]
fn the_same_batch_again_is_stored_once() {
    let server = TestServer::start();
    for method in ["PUT", "POST"] {
        let media_type = "application/vnd.elasticsearch+x-ndjson; compatible-with=9";
        let answer = server.request(method, "/_bulk").header("content-type", media_type).body(BULK).send();
        assert_eq!((answer.status, answer.header("x-elastic-product")), (200, Some("Elasticsearch")));
        assert!(answer.body.starts_with(r#"{"took":1,"errors":false,"items":[{"create":{"#), "{}", answer.body);
        let expected = if method == "PUT" {
            ["create 201 created", "index 201 created"]
        } else {
            ["create 200 noop", "index 200 noop"]
        };
        assert_eq!(outcomes(&answer), expected);
    }
    let stored = events(&server, "topic=logs");
    assert_eq!((&stored[0]["event_id"], &stored[0]["source"]), (&json!("1"), &json!("a")));
    assert_eq!(stored[0]["timestamp"], "2025-10-24T21:00:00Z");
    assert_eq!(counted(&server, "elasticsearch")["declared"], 4);
    server.expect_counts(4, 2, 2, 0);
}

#[test]
fn a_conflict_and_an_invalid_document_in_the_middle_leave_the_rest() {
    let server = TestServer::start();
    send(&server, "/_bulk", NDJSON, BULK).expect_status(200);
    let body = r#"{"create":{"_id":"0"}}
{"message":"zero"}
{"create":{"_id":"1"}}
{"message":"another"}
{"create":{"_id":"broken"}}
{"message":
{"index":{}}
{"message":
{"update":{"_id":"1"}}
{"doc":{}}
{"delete":{"_id":"1"}}
{"create":{"_id":"3"}}
{"message":"three"}
"#;
    let answer = send(&server, "/logs/_bulk", NDJSON, body).expect_status(200);
    assert!(answer.body.starts_with(r#"{"took":1,"errors":true,"items":["#));
    assert_eq!(
        outcomes(&answer),
        [
            "create 201 created",
            "create 409 version_conflict_engine_exception",
            "create 400 mapper_parsing_exception",
            "index 201 created",
            "update 400 illegal_argument_exception",
            "delete 400 illegal_argument_exception",
            "create 201 created",
        ]
    );
    let kept = quarantined(&server);
    assert_eq!((kept.len(), &kept[0]["record"]), (1, &json!("{\"message\":")));
    let ids: Vec<_> = events(&server, "topic=logs").iter().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["1", "2", "0", "3"]);
}

#[test]
fn a_body_that_is_no_bulk_request_stores_nothing() {
    let server = TestServer::start();
    for body in ["", "\n\n", "{}\n{}\n", "{\"create\":{}}\n", "{\"create\":{\"_id\":\"1\"}}\n{}\n{\"crea", "[1]\n"] {
        let answer = send(&server, "/_bulk", NDJSON, body);
        assert!(matches!(answer.status, 400 | 422), "{body}: {}", answer.status);
        assert!(answer.json()["error"]["type"].is_string() && answer.json()["error"]["code"].is_string());
        assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"));
    }
    server.expect_nothing_stored();
}

#[test]
fn a_rollover_at_midnight_admits_no_repeat() {
    let server = TestServer::start();
    let body = |index: &str| format!("{{\"create\":{{\"_index\":\"{index}\",\"_id\":\"1\"}}}}\n{{\"m\":1}}\n");
    for _ in 0..2 {
        send(&server, "/_bulk", NDJSON, body("app-2026.11.22")).expect_status(200);
    }
    let stored = events(&server, "topic=app");
    assert_eq!(stored[0]["payload"], json!({"_index": "app-2026.11.22", "m": 1}));
    server.expect_counts(2, 1, 1, 0);
    send(&server, "/_bulk", NDJSON, body("app-2026.11.23")).expect_status(200);
    server.expect_counts(3, 1, 2, 1);
}

#[test]
fn documents_come_one_by_one_as_well() {
    let server = TestServer::start();
    let put = |path: &str, body: &str| server.request("PUT", path).body(body.to_owned()).send();
    let created = put("/logs/_create/a%2Fb", r#"{"n":1}"#).expect_status(201).json();
    assert_eq!((&created["_id"], &created["result"]), (&json!("a/b"), &json!("created")));
    assert_eq!(put("/logs/_create/a%2Fb", r#"{"n":1}"#).expect_status(200).json()["result"], "noop");
    let conflict = put("/logs/_doc/a%2Fb", r#"{"n":2}"#).expect_status(409).json();
    assert_eq!(conflict["error"]["type"], "version_conflict_engine_exception");
    send(&server, "/logs/_doc", "application/json", r#"{"n":3}"#).expect_status(201);
    send(&server, "/logs/_doc/x", "application/json", "{broken").expect_status(400);
    server.expect_counts(4, 2, 2, 1);
}

#[test]
fn packed_and_large_batches_are_taken() {
    let server = TestServer::start();
    let body: String = (0..5_000)
        .map(|n| {
            format!(
                "{{\"create\":{{\"_index\":\"big\",\"_id\":\"{n}\"}}}}\n{{\"n\":{n},\"t\":\"{}\"}}\n",
                "y".repeat(60)
            )
        })
        .collect();
    for (status, packed) in [(201, true), (200, false)] {
        let request = server.request("POST", "/_bulk").header("content-type", NDJSON);
        let request = if packed {
            request.header("content-encoding", "gzip").body(gzip(body.as_bytes()))
        } else {
            request.body(body.clone())
        };
        let items = items(&request.send().expect_status(200));
        assert_eq!(items.len(), 5_000);
        assert!(items.iter().all(|item| item["create"]["status"] == status));
    }
}

#[test]
fn the_questions_of_clients_are_answered() {
    let server = TestServer::start();
    for path in [
        "/_cluster/health",
        "/_cluster/health/logs",
        "/_cat/health",
        "/_license",
        "/_xpack",
        "/_ilm/policy/x",
        "/_template/x",
        "/_index_template/x",
        "/_component_template/x",
        "/_data_stream/x",
        "/_ingest/pipeline/x",
        "/_nodes",
        "/_nodes/http",
        "/logs/_refresh",
    ] {
        for method in ["GET", "HEAD"] {
            let answer = server.request(method, path).send().expect_status(200);
            assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"), "{method} {path}");
        }
    }
    let greeting = server.request("GET", "/").header("accept", "application/json").send().expect_status(200).json();
    assert_eq!(greeting["tagline"], "You Know, for Search");
    // No template is made here, and none is said to be.
    server.request("PUT", "/_index_template/x").body("{}").send().expect_status(405);
}
