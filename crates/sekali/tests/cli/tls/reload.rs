//! New certificates while the server runs.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use sekali_testkit::{Authority, KeyPairFiles};

use super::{Place, connect, text, trusting};
use crate::served::Served;

/// Copies the content of one pair of files into another.
fn copy(from: &KeyPairFiles, to: &KeyPairFiles) {
    std::fs::copy(&from.cert, &to.cert).unwrap();
    std::fs::copy(&from.key, &to.key).unwrap();
}

/// Sends SIGHUP, and waits until the log reports the reload.
fn reload(served: &Served, log: &Path, expected: &str) {
    let count = || std::fs::read_to_string(log).unwrap().matches(expected).count();
    let (before, deadline) = (count(), Instant::now() + Duration::from_secs(30));
    served.signal("HUP");
    while count() == before {
        assert!(Instant::now() < deadline, "the log does not say {expected:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const RELOADED: &str = "certificates were read again";
const KEPT: &str = "the certificates stay as they were";

#[test]
fn a_hangup_changes_the_certificate_and_drops_no_request() {
    let place = Place::new();
    let log = place.dir.path().join("log");
    let next = Authority::new(place.dir.path(), "next-ca");
    let (first, second) = (place.authority.issue("first"), next.issue("second"));
    let pair = place.authority.issue("server");
    copy(&first, &pair);
    let served = Served::spawn_with_log(&mut place.serve(&pair, &[]), &log);
    let body = r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":{}}"#;
    let (half, rest) = body.split_at(40);
    let mut begun = connect(&served, trusting(&place.authority.cert));
    write!(
        begun,
        "POST /publish HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{half}",
        body.len()
    )
    .unwrap();

    copy(&second, &pair);
    reload(&served, &log, RELOADED);
    assert_eq!(place.ask(&served, &[]).code, Some(3), "the old certificate is gone");
    drop(connect(&served, trusting(&next.cert)));
    begun.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");

    std::fs::copy(&first.cert, &pair.cert).unwrap();
    reload(&served, &log, KEPT);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("is not the key of the certificate in"), "{said}");
    std::fs::remove_file(&pair.cert).unwrap();
    reload(&served, &log, KEPT);
    // The previous certificate stays in force.
    drop(connect(&served, trusting(&next.cert)));
}

#[test]
fn a_hangup_changes_which_clients_are_served() {
    let place = Place::new();
    let log = place.dir.path().join("log");
    let (old, new) = (Authority::new(place.dir.path(), "old-ca"), Authority::new(place.dir.path(), "new-ca"));
    let client = old.issue("client");
    let ca = place.dir.path().join("clients.pem");
    std::fs::copy(&old.cert, &ca).unwrap();
    let mut serve = place.serve(&place.authority.issue("server"), &["--client-ca", text(&ca)]);
    let served = Served::spawn_with_log(&mut serve, &log);
    let show = ["--client-cert", text(&client.cert), "--client-key", text(&client.key)];
    assert_eq!(place.ask(&served, &show).code, Some(0));
    std::fs::copy(&new.cert, &ca).unwrap();
    reload(&served, &log, RELOADED);
    assert_eq!(place.ask(&served, &show).code, Some(3));
}
