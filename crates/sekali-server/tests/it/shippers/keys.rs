//! Keys, as each protocol's clients show them: every route, and every kind of caller.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekali_server::access::Scope;
use sekali_server::http::SHIPPER_ROUTES;

use crate::access::visitor::{make, make_expired, make_revoked, start};

/// A path, a type and a body by which an event of topic `mine` is stored. `None` for routes that
/// store nothing. A new route needs a line here.
fn shipment(path: &str, id: usize) -> Option<(String, &'static str, String)> {
    let ndjson = "application/x-ndjson";
    let json = "application/json";
    Some(match path {
        "/_bulk" | "/{index}/_bulk" => {
            let body = format!("{{\"create\":{{\"_index\":\"mine\",\"_id\":\"{id}\"}}}}\n{{}}\n");
            (path.replace("{index}", "mine"), ndjson, body)
        }
        "/{index}/_doc" => ("/mine/_doc?id=/id".to_owned(), json, format!("{{\"id\":{id}}}")),
        "/{index}/_doc/{id}" | "/{index}/_create/{id}" => {
            (path.replace("{index}", "mine").replace("{id}", &id.to_string()), json, "{}".to_owned())
        }
        "/v1/logs" => {
            let record = format!(r#"{{"attributes":[{{"key":"log.record.uid","value":{{"stringValue":"{id}"}}}}]}}"#);
            let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#);
            ("/v1/logs?topic=mine".to_owned(), json, body)
        }
        "/loki/api/v1/push" | "/api/prom/push" => {
            let value = format!(r#"["1","x",{{"event_id":"{id}"}}]"#);
            let body = format!(r#"{{"streams":[{{"stream":{{"job":"mine"}},"values":[{value}]}}]}}"#);
            (path.to_owned(), json, body)
        }
        "/services/collector/ack" | "/services/collector/health" => return None,
        "/services/collector/raw" | "/services/collector/raw/1.0" => {
            (format!("{path}?sourcetype=mine&id=/event"), "", id.to_string())
        }
        _ if path.starts_with("/services/collector") => {
            let body = format!(r#"{{"event":1,"sourcetype":"mine","fields":{{"event_id":"{id}"}}}}"#);
            (path.to_owned(), json, body)
        }
        "/webhooks/{topic}" => ("/webhooks/mine?id=/id".to_owned(), json, format!("{{\"id\":{id}}}")),
        "/cloudevents" => {
            let body = format!(r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"mine"}}"#);
            (path.to_owned(), "application/cloudevents+json", body)
        }
        "/v1/batch" | "/v1/import" => {
            (format!("{path}?topic=mine"), json, format!(r#"{{"batch":[{{"messageId":"{id}"}}]}}"#))
        }
        _ if path.starts_with("/v1/") => (format!("{path}?topic=mine"), json, format!(r#"{{"messageId":"{id}"}}"#)),
        _ => return None,
    })
}

#[test]
fn no_route_stores_anything_for_a_key_that_may_not() {
    let (server, (admin, mut shown)) = start(2, |dir| {
        let keys = [
            make(dir, &[Scope::Read], &["*"]),
            make(dir, &[Scope::Publish], &["other"]),
            make_expired(dir, &[Scope::Publish]),
            make_revoked(dir, &[Scope::Publish]),
            sekali_server::access::draw_secret(),
        ];
        let shown = keys.map(|key| Some(format!("Bearer {}", key.expose()))).to_vec();
        (make(dir, &[Scope::Admin], &["*"]), shown)
    });
    shown.push(None);
    let mut asked = 0;
    for route in &SHIPPER_ROUTES {
        let (path, media_type, body) =
            shipment(route.path, asked).unwrap_or_else(|| (route.path.replace(['{', '}'], ""), "", String::new()));
        for shown in &shown {
            let request = server.request(route.method.as_str(), &path).header("content-type", media_type);
            let request = if let Some(shown) = shown { request.header("authorization", shown) } else { request };
            let answer = request.body(body.clone()).send();
            let stores = shipment(route.path, 0).is_some() && route.method != "OPTIONS";
            // A key for other topics may ask, and is refused once its events are read.
            let may_ask = !stores && answer.status != 401;
            assert!(may_ask || matches!(answer.status, 401 | 403), "{} {path}: {}", route.name(), answer.status);
            assert!(answer.status != 401 || answer.header("www-authenticate").is_some(), "{path}");
            asked += 1;
        }
    }
    assert!(asked > 250, "{asked}");
    assert_eq!(server.stored(&admin), []);
}

#[test]
fn every_scheme_of_every_client_is_a_key() {
    let (server, (admin, key)) =
        start(1, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Publish], &["mine"])));
    let key = key.expose();
    let basic = |text: String| STANDARD.encode(text);
    let schemes = [
        format!("Bearer {key}"),
        format!("Splunk {key}"),
        format!("ApiKey {key}"),
        format!("ApiKey {}", basic(format!("name:{key}"))),
        format!("Basic {}", basic(format!("user:{key}"))),
        format!("Basic {}", basic(format!("{key}:"))),
    ];
    let mut count = 0;
    for route in SHIPPER_ROUTES.iter().filter(|route| route.method != "OPTIONS") {
        for scheme in &schemes {
            let Some((path, media_type, body)) = shipment(route.path, count) else { continue };
            let request = server.request(route.method.as_str(), &path).header("content-type", media_type);
            let answer = request.header("authorization", scheme).body(body).send();
            assert!((200..300).contains(&answer.status), "{} {scheme}: {}", route.name(), answer.body);
            count += 1;
        }
    }
    let stored = server.get_with(&admin, "/stats").json();
    assert_eq!((&stored["unique_processed"], &stored["topics"]), (&count.into(), &serde_json::json!(["mine"])));
    // Not on the API's own routes: a browser sends Basic along by itself.
    let own = server.request("POST", "/publish").header("authorization", &schemes[4]).body("[]");
    own.send().expect_error(401, "unauthenticated");
    // A tenant is no key.
    server.request("POST", "/loki/api/v1/push").header("x-scope-orgid", key).send().expect_status(401);
}

#[test]
fn pages_of_other_origins_send_nothing_to_a_server_without_keys() {
    let server = crate::server::TestServer::start();
    for (path, media_type, body) in [
        ("/ingest", "text/plain", "x"),
        ("/_bulk", "text/plain", "{\"create\":{\"_index\":\"a\"}}\n{}\n"),
        ("/services/collector", "text/plain", "{\"event\":1}"),
    ] {
        let request = || server.request("POST", path).header("content-type", media_type).body(body.to_owned());
        for origin in ["https://evil.example", "null", "http://localhost:1"] {
            request().header("origin", origin).send().expect_status(403);
        }
        let own = format!("http://{}", server.address());
        assert!(request().header("origin", &own).send().status < 300);
    }
    server.expect_counts(3, 3, 0, 0);
}
