//! State that survives a restart, and conditions that prevent a start.

use expect_test::expect;
use sekali_server::server::StartError;
use serde_json::json;

use crate::server::{TestServer, event};

#[test]
fn events_counters_and_keys_survive_a_restart() {
    let server = TestServer::start();
    let body = json!([event("a", "1"), event("b", "1"), event("a", "1")]);
    server.publish(&body).expect_status(202);
    let before = server.get("/events").body;
    let server = server.restart();
    assert_eq!(server.get("/events").body, before);
    server.expect_counts(3, 2, 1, 0);
    server.publish(&body).expect(
        202,
        &expect![[r#"{"message":"0 stored, 3 duplicate","received":3,"stored":0,"duplicates":3,"conflicts":0}"#]],
    );
    let server = server.restart();
    assert_eq!(server.get("/events").body, before);
    server.expect_counts(6, 2, 4, 0);
}

#[test]
fn two_servers_on_one_directory_are_refused() {
    let server = TestServer::start();
    let error = server.start_other(|_| {}).expect_err("the directory is in use");
    assert!(matches!(error, StartError::DataDirInUse(_)), "{error}");
    server.publish(&event("t", "1")).expect_status(202);
}

#[test]
fn two_servers_on_one_port_are_refused() {
    let server = TestServer::start();
    let (address, other) = (server.address(), server.dir.path().join("other"));
    let error = server.start_other(|config| {
        config.listen = address;
        config.data_dir = other;
    });
    let error = error.expect_err("the port is in use");
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
}

#[test]
fn a_newer_format_is_refused() {
    let mut server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    server.stop();
    let meta = server.dir.path().join("data/store.toml");
    let text = std::fs::read_to_string(&meta).unwrap();
    let newer = text.replace("format = 1\n", "format = 99\n");
    assert_ne!(newer, text);
    std::fs::write(&meta, newer).unwrap();
    let error = server.start_other(|_| {}).expect_err("the format is newer");
    assert!(matches!(error, StartError::NewerFormat(_)), "{error}");
}

#[test]
fn a_wrong_origin_is_refused() {
    let server = TestServer::start();
    let error = server.start_other(|config| config.cors_origins = vec!["*".to_owned()]).expect_err("not an origin");
    assert!(matches!(error, StartError::Config(_)), "{error}");
}
