//! Keys that come, go and break while the server runs.

use std::fs;
use std::time::{Duration, Instant};

use sekali_server::access::{KeyFile, Scope};
use sekali_server::limits::KEYS_CHECK_INTERVAL;
use sekali_server::server::StartError;
use sekali_wire::timestamp::Timestamp;

use super::visitor::{make, start};
use crate::server::{Request, TestServer, event};

/// Waits for this status, which the server returns once it has read the keys again.
#[track_caller]
fn until(server: &TestServer, key: Option<&sekali_wire::secret::Secret>, status: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let request = server.request("GET", "/stats");
        let answer = key.into_iter().fold(request, Request::key).send();
        if answer.status == status {
            return;
        }
        assert!(Instant::now() < deadline, "still {}", answer.status);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_running_server_notices_new_revoked_and_damaged_keys() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let dir = server.dir.path().join("data");
    let secret = make(&dir, &[Scope::Read], &["*"]);
    until(&server, None, 401);
    until(&server, Some(&secret), 200);

    let file = KeyFile::of(&dir);
    let good = fs::read(file.path()).unwrap();
    fs::write(file.path(), "nonsense").unwrap();
    std::thread::sleep(2 * KEYS_CHECK_INTERVAL);
    until(&server, Some(&secret), 200);
    until(&server, None, 401);
    fs::remove_file(file.path()).unwrap();
    std::thread::sleep(2 * KEYS_CHECK_INTERVAL);
    until(&server, Some(&secret), 200);
    until(&server, None, 401);

    fs::write(file.path(), good).unwrap();
    file.change(|keys| keys.revoke(&secret.id(), Timestamp(0))).unwrap();
    until(&server, Some(&secret), 401);
    server.request("GET", "/events").key(&secret).send().expect_error(401, "unauthenticated");
}

#[test]
fn a_key_whose_time_is_over_is_refused_from_that_moment_on() {
    let (server, secret) = start(1, |dir| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let expires = Timestamp(i64::try_from((now + Duration::from_secs(3)).as_nanos()).unwrap());
        let new = super::visitor::new_key(&[Scope::Admin], &["*"], Some(expires));
        KeyFile::of(dir).change(|keys| keys.create(new, Timestamp(0))).unwrap().0
    });
    server.get_with(&secret, "/stats").expect_status(200);
    until(&server, Some(&secret), 401);
    let message = server.get_with(&secret, "/stats").json()["message"].to_string();
    assert!(message.contains("expired"), "{message}");
}

#[test]
fn a_server_does_not_start_with_keys_that_make_no_sense() {
    let mut server = TestServer::start();
    server.stop();
    let dir = server.dir.path().join("data");
    for text in ["", "nonsense", "format = 1\nkey = []\n", "format = 99\n"] {
        fs::write(KeyFile::of(&dir).path(), text).unwrap();
        let refused = server.start_other(|_| {}).map(drop).unwrap_err();
        assert!(matches!(refused, StartError::Keys(_)), "{refused}");
        assert!(refused.to_string().contains("keys.toml"), "{refused}");
    }
}

#[test]
fn addresses_beyond_this_machine_need_keys_or_an_explicit_word() {
    let mut server = TestServer::start();
    server.stop();
    for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
        let refused = server.start_other(|config| config.listen = listen.to_owned()).map(drop).unwrap_err();
        assert!(matches!(refused, StartError::Exposed { .. }), "{listen}: {refused}");
        let text = refused.to_string();
        assert!(text.contains("sekali keys create") && text.contains("--allow-anonymous"), "{text}");
    }
    for listen in ["127.0.0.1:0", "127.9.9.9:0", "localhost:0"] {
        let started = server.start_other(|config| config.listen = listen.to_owned()).unwrap();
        server.runtime().block_on(started.stop());
    }
    let anonymous = server.start_other(|config| {
        config.listen = "0.0.0.0:0".to_owned();
        config.allow_anonymous = true;
    });
    server.runtime().block_on(anonymous.unwrap().stop());
    make(&server.dir.path().join("data"), &[Scope::Read], &["*"]);
    let guarded = server.start_other(|config| config.listen = "0.0.0.0:0".to_owned()).unwrap();
    server.runtime().block_on(guarded.stop());
}
