//! Host names that a server on loopback accepts: the defence against DNS rebinding.

use std::sync::Arc;

use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;

use crate::access::visitor::{make, start};
use crate::connections::raw;
use crate::server::{TestServer, event};

fn ask(server: &TestServer, host: &str) -> u16 {
    server.request("GET", "/stats").header("host", host).send().status
}

#[test]
fn other_names_are_refused_on_loopback_without_keys() {
    let server = TestServer::start();
    for host in ["localhost", "localhost:1", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(ask(&server, host), 200, "{host}");
    }
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "0.0.0.0", "10.0.0.1", "x@localhost"] {
        server.request("GET", "/stats").header("host", host).send().expect_error(421, "wrong_host");
        for path in ["/livez", "/readyz", "/nowhere", "/events"] {
            server.request("GET", path).header("host", host).send().expect_error(421, "wrong_host");
        }
        let publish = server.request("POST", "/publish").header("host", host).body(event("t", "1").to_string());
        publish.send().expect_error(421, "wrong_host");
    }
    server.expect_nothing_stored();
}

#[test]
fn however_the_name_is_said_it_is_looked_at() {
    let server = TestServer::start();
    let status = |request: &str| raw(&server, request).lines().next().unwrap_or_default()[9..12].to_owned();
    assert_eq!(status("GET /stats HTTP/1.0\r\n\r\n"), "200");
    assert_eq!(status("GET /stats HTTP/1.0\r\nhost: evil.example\r\n\r\n"), "421");
    let close = "connection: close\r\n\r\n";
    assert_eq!(status(&format!("GET /stats HTTP/1.1\r\n{close}")), "400");
    assert_eq!(status(&format!("GET /stats HTTP/1.1\r\nhost:\r\n{close}")), "421");
    assert_eq!(status(&format!("GET http://evil.example/stats HTTP/1.1\r\nhost: localhost\r\n{close}")), "421");
    assert_eq!(status(&format!("GET http://localhost/stats HTTP/1.1\r\nhost: localhost\r\n{close}")), "200");
    assert_eq!(status(&format!("GET /stats HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n{close}")), "400");

    let client =
        reqwest::Client::builder().http2_prior_knowledge().resolve("evil.example", server.address().parse().unwrap());
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let request = client.build().unwrap().get(format!("http://evil.example:{port}/stats"));
    assert_eq!(server.runtime().block_on(request.send()).unwrap().status(), 421);
}

/// RFC 9112, 3.2. With keys too, where the name itself does not matter.
#[test]
fn http_1_1_needs_one_host_header() {
    let (server, _) = start(1, |dir| make(dir, &[Scope::Read], &["*"]));
    for hosts in ["", "host: a\r\nhost: a\r\n"] {
        let answer = raw(&server, &format!("GET /livez HTTP/1.1\r\n{hosts}connection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_host"), "{answer}");
    }
    assert!(raw(&server, "GET /livez HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200"));
}

#[test]
fn names_can_be_allowed_and_with_keys_any_will_do() {
    let allow = |config: &mut sekali_server::server::Config| config.allow_hosts = vec!["logs.example.org".to_owned()];
    let server = TestServer::start_with(Arc::new(RealDisk), allow);
    assert_eq!((ask(&server, "LOGS.example.org:443"), ask(&server, "localhost")), (200, 200));
    assert_eq!(ask(&server, "evil.example"), 421);
    let wrong = server.start_other(|config| config.allow_hosts = vec!["http://x".to_owned()]).map(drop).unwrap_err();
    assert!(wrong.to_string().contains("is not the name of a host"), "{wrong}");

    let (server, key) = start(1, |dir| make(dir, &[Scope::Read], &["*"]));
    assert_eq!(ask(&server, "logs.example.org"), 401);
    let answer = server.request("GET", "/stats").key(&key).header("host", "logs.example.org").send();
    assert_eq!(answer.status, 200);
}
