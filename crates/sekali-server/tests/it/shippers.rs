//! Other people's clients, by the bytes that they send.

mod cloudevents;
mod elasticsearch;
mod hec;
mod identity;
mod ingest;
mod keys;
mod loki;
mod otlp;
mod otlp_grpc;
mod overload;
mod ports;
mod segment;
mod webhooks;

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::server::{Answer, TestServer};

/// Sends a body of this type.
fn send(server: &TestServer, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    server.request("POST", path).header("content-type", media_type).body(body.into()).send()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// All stored events of these topics.
fn events(server: &TestServer, query: &str) -> Vec<Value> {
    server.get(&format!("/events?{query}")).expect_status(200).json().as_array().unwrap().clone()
}

/// The records in quarantine.
fn quarantined(server: &TestServer) -> Vec<Value> {
    events(server, "topic=%24quarantine").into_iter().map(|event| event["payload"].clone()).collect()
}

/// How many events of a way in have which kind of id.
fn counted(server: &TestServer, way: &str) -> Value {
    let ways = server.get("/stats").json()["ways"].clone();
    ways.as_array().unwrap().iter().find(|known| known["way"] == way).cloned().unwrap_or(Value::Null)
}
