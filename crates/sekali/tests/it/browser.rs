//! What browsers are told.

use std::sync::Arc;

use sekali_store::disk::RealDisk;

use crate::server::TestServer;

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
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET,POST"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(preflight.header("x-content-type-options"), Some("nosniff"));
}
