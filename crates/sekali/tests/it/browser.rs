//! What browsers are told.

use std::sync::Arc;

use sekali_store::disk::RealDisk;

use crate::server::TestServer;

#[test]
fn answers_are_not_sniffed_or_cached() {
    let server = TestServer::start();
    for path in ["/events", "/stats", "/nowhere"] {
        let answer = server.get(path);
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
}
