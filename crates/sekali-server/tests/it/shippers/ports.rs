//! Ports that protocols have to themselves, where that is asked for.

use std::sync::Arc;

use sekali_server::server::Port;
use sekali_store::disk::RealDisk;
use serde_json::json;

use super::events;
use crate::server::TestServer;

fn start() -> TestServer {
    TestServer::start_with(Arc::new(RealDisk), |config| {
        config.ports = Port::ALL.map(|port| (port, "127.0.0.1:0".to_owned())).into();
    })
}

#[test]
fn each_protocol_is_served_on_its_own_port_and_on_the_main_one() {
    let server = start();
    let bodies = [
        (Port::Elasticsearch, "/_bulk", "{\"create\":{\"_index\":\"t\",\"_id\":\"es\"}}\n{\"n\":1}\n", 200),
        (
            Port::Otlp,
            "/v1/logs",
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"log.record.uid","value":{"stringValue":"otlp"}}]}]}]}]}"#,
            200,
        ),
        (
            Port::Loki,
            "/loki/api/v1/push",
            r#"{"streams":[{"stream":{"job":"t"},"values":[["1761339600000000000","x",{"event_id":"loki"}]]}]}"#,
            204,
        ),
        (Port::Hec, "/services/collector", r#"{"event":"x","sourcetype":"t","fields":{"event_id":"hec"}}"#, 200),
    ];
    // OTLP over gRPC has tests of its own.
    for (port, path, body, status) in bodies {
        for address in [server.port(port), server.address()] {
            let request = server.request_at(&address, "POST", path).header("content-type", "application/json");
            request.body(body.to_owned()).send().expect_status(status);
        }
    }
    let ids: Vec<_> = events(&server, "").into_iter().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["es", "otlp", "loki", "hec"]);
    server.expect_counts(8, 4, 4, 0);
}

#[test]
fn a_port_of_a_protocol_serves_nothing_else() {
    let server = start();
    for port in Port::ALL {
        let address = server.port(port);
        server.request_at(&address, "GET", "/readyz").send().expect_status(200);
        for (method, path) in [("POST", "/publish"), ("GET", "/events"), ("GET", "/stats"), ("POST", "/webhooks/t")] {
            let answer = server.request_at(&address, method, path).send().expect_status(404);
            let hint = format!("this port serves {} only, under {}", port.name(), port.root());
            assert!(answer.body.contains(&hint), "{}", answer.body);
        }
    }
    let elastic = server.port(Port::Elasticsearch);
    let greeting = server.request_at(&elastic, "GET", "/").header("accept", "text/html").send().expect_status(200);
    assert_eq!(greeting.json()["tagline"], "You Know, for Search", "there are no pages here");
    server.request_at(&server.port(Port::Loki), "GET", "/ready").send().expect_status(200);
    server.request_at(&server.port(Port::Hec), "GET", "/services/collector/health").send().expect_status(200);
    server.request_at(&server.port(Port::Otlp), "GET", "/").send().expect_status(404);
}

#[test]
fn a_page_from_elsewhere_reaches_no_port_by_a_name_of_its_own() {
    let server = start();
    for port in Port::ALL {
        let request = server.request_at(&server.port(port), "GET", "/readyz").header("host", "evil.example");
        request.send().expect_status(421);
    }
}

#[test]
fn stats_name_every_address() {
    let server = start();
    let listening = server.get("/stats").json()["listening"].clone();
    let ports = Port::ALL.map(|port| json!({"port": port.name(), "address": server.port(port)}));
    let main = json!({"port": "main", "address": server.address()});
    assert_eq!(listening.as_array().unwrap()[..], [&[main][..], &ports].concat());
}
