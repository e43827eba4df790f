//! Webhooks, signed and with keys.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign};
use sekali_server::access::Scope;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{Answer, TestServer};
use crate::shippers::events;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const BODY: &str = r#"{"action":"opened","number":7}"#;

/// A server without keys that has a secret for the topic `hooks`.
fn signed() -> TestServer {
    TestServer::start_with(std::sync::Arc::new(sekali_store::disk::RealDisk), |config| {
        fs::create_dir_all(&config.data_dir).unwrap();
        fs::write(config.data_dir.join("webhooks.toml"), format!("hooks = \"{SECRET}\"\n")).unwrap();
    })
}

fn github(server: &TestServer, delivery: &str, body: &str, secret: &str) -> Answer {
    let tag = sign(&Key::new(HMAC_SHA256, secret.as_bytes()), body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = server.request("POST", "/webhooks/hooks").header("x-github-delivery", delivery);
    let request = request.header("x-github-event", "pull_request").header("content-type", "application/json");
    request.header("x-hub-signature-256", &format!("sha256={hex}")).body(body.to_owned()).send()
}

#[test]
fn a_delivery_is_stored_once_however_often_it_comes() {
    let server = signed();
    for _ in 0..2 {
        github(&server, "d1", BODY, SECRET).expect_status(200);
    }
    github(&server, "d2", BODY, SECRET).expect_status(200);
    server.expect_counts(3, 2, 1, 0);
    let stored = events(&server, "topic=hooks");
    assert_eq!(stored[0]["event_id"], "d1");
    assert_eq!(stored[0]["payload"], json!({"x-github-event": "pull_request", "action": "opened", "number": 7}));
}

#[test]
fn what_is_not_signed_with_the_secret_stores_nothing() {
    let server = signed();
    github(&server, "d1", BODY, "another secret of them").expect_status(401);
    let unsigned = server.request("POST", "/webhooks/hooks").header("x-github-delivery", "d1").body(BODY).send();
    assert_eq!(unsigned.expect_status(401).json()["code"], "unauthenticated");
    server.expect_nothing_stored();
}

#[test]
fn standard_webhooks_are_signed_with_their_id_and_time() {
    let server = signed();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let send = |id: &str, time: u64, signed_id: &str| {
        let tag = sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), format!("{signed_id}.{time}.{BODY}").as_bytes());
        let request = server.request("POST", "/webhooks/hooks").header("webhook-id", id);
        let request = request.header("webhook-timestamp", &time.to_string());
        request.header("webhook-signature", &format!("v1,{}", STANDARD.encode(tag))).body(BODY).send()
    };
    send("m1", now, "m1").expect_status(200);
    send("m1", now, "m1").expect_status(200);
    send("m2", now, "m1").expect_status(401);
    send("m3", now - 3_600, "m3").expect_status(401);
    server.expect_counts(2, 1, 1, 0);
}

#[test]
fn a_signature_is_for_its_topic_and_needs_no_key() {
    let (server, (admin, key)) = start(1, |dir| {
        let keys = (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Publish], &["*"]));
        fs::write(dir.join("webhooks.toml"), format!("hooks = \"{SECRET}\"\n")).unwrap();
        keys
    });
    github(&server, "d1", BODY, SECRET).expect_status(200);
    let tag = sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), BODY.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let elsewhere = |path: &str| {
        let request = server.request("POST", path).header("x-hub-signature-256", &format!("sha256={hex}"));
        request.header("x-github-delivery", "d9").body(BODY).send().status
    };
    assert_eq!((elsewhere("/webhooks/other"), elsewhere("/webhooks/hooks?topic=other")), (401, 403));
    // A topic without a secret wants a key.
    let plain =
        |request: crate::server::Request<'_>| request.header("idempotency-key", "\"k1\"").body("{}").send().status;
    assert_eq!(plain(server.request("POST", "/webhooks/plain")), 401);
    assert_eq!(plain(server.request("POST", "/webhooks/plain").key(&key)), 200);
    let stored = server.stored(&admin);
    assert_eq!(stored, [("hooks".to_owned(), "d1".to_owned()), ("plain".to_owned(), "k1".to_owned())]);
}

#[test]
fn a_body_of_any_kind_is_kept() {
    let server = TestServer::start();
    let send = |id: &str, body: &str| {
        server.request("POST", "/webhooks/t").header("webhook-id", id).body(body.to_owned()).send().expect_status(200)
    };
    send("1", "[1]");
    send("2", "token=x&text=y");
    send("3", "{}");
    let payloads: Vec<Value> = events(&server, "topic=t").iter().map(|event| event["payload"].clone()).collect();
    assert_eq!(payloads, [json!({"body": [1]}), json!({"body": "token=x&text=y"}), json!({})]);
}
