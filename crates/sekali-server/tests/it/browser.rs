//! Headers for browsers: CORS and security.

use std::sync::Arc;
use std::time::Duration;

use sekali_server::access::Scope;
use sekali_server::limits::HEADERS_BYTES_MAX;
use sekali_server::server::Config;
use sekali_store::disk::RealDisk;

use crate::access::visitor::make;
use crate::server::{Answer, TestServer, event};

#[test]
fn answers_are_data_and_nothing_else() {
    let server = TestServer::start();
    let refused = server.request("GET", "/stats").header("host", "evil.example").send();
    let paths = ["/events", "/stats", "/nowhere", "/readyz", "/events?x"];
    for answer in paths.into_iter().map(|path| server.get(path)).chain([refused]) {
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn other_origins_read_nothing_unless_they_are_named() {
    const NAMED: &str = "https://logs.example.org";
    let allowed = |server: &TestServer, origin: &str| {
        let answer = server.request("GET", "/stats").header("origin", origin).send();
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    let server = TestServer::start();
    assert_eq!(allowed(&server, NAMED), None);
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.cors_origins = vec![NAMED.to_owned()]);
    assert_eq!(allowed(&server, NAMED).as_deref(), Some(NAMED));
    assert_eq!(allowed(&server, "https://logs.example.org.evil.example"), None);
    let preflight = server.request("OPTIONS", "/publish").header("origin", NAMED);
    let preflight = preflight.header("access-control-request-method", "POST").send().expect_status(200);
    assert_eq!(preflight.header("access-control-allow-methods"), Some("DELETE,GET,POST,PUT"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(preflight.header("x-content-type-options"), Some("nosniff"));
    let large = server.request("OPTIONS", "/publish").header("x-long", &"x".repeat(HEADERS_BYTES_MAX));
    large.header("origin", NAMED).send().expect_error(431, "headers_too_large");
}

/// Without CORS, publish requests take another path.
#[test]
fn publishing_is_the_same_with_named_origins_as_without() {
    let publish = |server: &TestServer, name: &str, value: &str, path: &str, body: &str| {
        let answer = server.request("POST", path).header(name, value).body(body.to_owned()).send();
        let Answer { status, mut headers, body } = answer;
        for differs in ["date", "vary", "access-control-expose-headers", "x-request-id"] {
            headers.remove(differs);
        }
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort();
        (status, headers, body)
    };
    let all = |server: &TestServer| {
        let valid = event("t", "1").to_string();
        let mut answers = vec![
            publish(server, "accept", "*/*", "/publish", &valid),
            publish(server, "accept", "*/*", "/publish?verbose=true", &valid),
            publish(server, "accept", "*/*", "/publish?x=1", &valid),
            publish(server, "accept", "*/*", "/publish/", &valid),
            publish(server, "host", "evil.example", "/publish", &valid),
            publish(server, "content-type", "text/plain", "/publish", &valid),
            publish(server, "x-long", &"x".repeat(HEADERS_BYTES_MAX), "/publish", &valid),
            publish(server, "accept", "*/*", "/publish", "{"),
        ];
        let reader = make(&server.dir.path().join("data"), &[Scope::Read], &["*"]);
        let reader = format!("Bearer {}", reader.expose());
        while server.get("/stats").status != 401 {
            std::thread::sleep(Duration::from_millis(20));
        }
        answers.push(publish(server, "accept", "*/*", "/publish", &valid));
        answers.push(publish(server, "authorization", &reader, "/publish", &valid));
        answers
    };
    let named = |config: &mut Config| config.cors_origins = vec!["https://logs.example.org".to_owned()];
    let past_the_router = all(&TestServer::start());
    assert_eq!(past_the_router, all(&TestServer::start_with(Arc::new(RealDisk), named)));
    let statuses: Vec<_> = past_the_router.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [202, 202, 400, 404, 421, 415, 431, 400, 401, 403]);
}
