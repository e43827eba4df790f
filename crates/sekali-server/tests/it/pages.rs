//! The pages and their files, as browsers get them.

use std::sync::Arc;

use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;

use crate::access::visitor::make;
use crate::server::{TestServer, event};

const PAGES: [&str; 6] =
    ["/", "/explore", "/event/a%2Fb/c?same=source", "/integrity?x=y", "/sql?sql=SELECT+1", "/docs"];

#[test]
fn pages_run_only_what_this_server_sends() {
    let server = TestServer::start();
    for path in PAGES {
        let page = server.request("GET", path).header("accept", "text/html,*/*;q=0.8").send().expect_status(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        for rule in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    }
}

#[test]
fn files_of_pages_are_kept_for_ever_and_pages_are_asked_for_again() {
    let server = TestServer::start();
    let page = server.get("/explore").expect_status(200);
    let tag = page.header("etag").unwrap();
    let again = server.request("GET", "/explore").header("if-none-match", tag).send().expect_status(304);
    assert_eq!((again.body.as_str(), again.header("etag")), ("", Some(tag)));
    let paths =
        page.body.split("\"/assets/").skip(1).map(|rest| format!("/assets/{}", rest.split('"').next().unwrap()));
    for path in paths {
        let file = server.get(&path).expect_status(200);
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        assert!(!file.body.is_empty());
        let packed = server.request("HEAD", &path).header("accept-encoding", "gzip, br").send().expect_status(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        let length: usize = packed.header("content-length").unwrap().parse().unwrap();
        assert!(length < file.body.len() || file.body.len() < 600, "{path}: {length} of {}", file.body.len());
    }
    let other = server.get("/assets/0000000000000000/app.css").expect_status(404);
    assert_eq!(other.header("cache-control"), Some("no-store"));
}

#[test]
fn a_page_holds_nothing_of_the_store_and_needs_no_key() {
    let server = TestServer::start();
    server.publish(&event("secret-topic", "secret-id")).expect_status(202);
    let before = PAGES.map(|path| server.request("GET", path).header("accept", "text/html").send().body);
    assert!(before.iter().all(|page| !page.contains("secret")), "{before:?}");
    let server = TestServer::start_with(Arc::new(RealDisk), |config| {
        make(&config.data_dir, &[Scope::Admin], &["*"]);
    });
    let guarded = PAGES.map(|path| server.request("GET", path).header("accept", "text/html").send().body);
    assert_eq!(before, guarded);
}

#[test]
fn the_root_is_a_page_only_for_those_who_ask_for_one() {
    let server = TestServer::start();
    for accept in ["*/*", "application/json", "text/html;q=0"] {
        let greeting = server.request("GET", "/").header("accept", accept).send().expect_status(200);
        assert_eq!(greeting.json()["tagline"], "You Know, for Search", "clients of Elasticsearch ask for it");
    }
    server.request("GET", "/").header("host", "evil.example").send().expect_error(421, "wrong_host");
    server.request("GET", "/explore").header("host", "evil.example").send().expect_error(421, "wrong_host");
}

#[test]
fn the_history_has_what_was_just_received() {
    let server = TestServer::start();
    for _ in 0..3 {
        server.publish(&event("t", "1")).expect_status(202);
    }
    let history = server.get("/stats/history").expect_status(200).json();
    assert_eq!(history["interval_seconds"], 10);
    assert_eq!(history["acknowledged"]["requests"], 3);
    assert!(history["acknowledged"]["p99_seconds"].as_f64() >= history["acknowledged"]["p50_seconds"].as_f64());
    let sum = |name: &str| history[name].as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("stored"), sum("duplicates"), sum("conflicts")), (1, 2, 0));
    assert_eq!(history["starts"].as_array().unwrap().len(), history["stored"].as_array().unwrap().len());
}
