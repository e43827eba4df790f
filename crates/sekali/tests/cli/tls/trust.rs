//! Trust between servers and clients.

use sekali_testkit::Authority;

use super::{Place, text};
use crate::process::run;
use crate::served::Served;

#[test]
fn every_client_command_speaks_to_a_server_it_trusts() {
    let place = Place::new();
    let served = Served::spawn(&mut place.serve(&place.authority.issue("server"), &[]));
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    let to = ["--url", &served.url, "--ca-cert", text(&place.authority.cert)];
    let sekali = |command: &str, more: &[&str]| run(&[&[command], &to[..], more].concat());
    assert_eq!(sekali("health", &[]).stdout, "ready\n");
    assert_eq!(sekali("publish", &["--count", "500", "--json"]).json()["received"], 500);
    assert_eq!(sekali("events", &[]).stdout.lines().count(), 500);
    assert_eq!(sekali("count", &["--json"]).json()["count"], 500);
    assert_eq!(sekali("stats", &["--json"]).json()["unique_processed"], 500);
    let export = place.dir.path().join("events.ndjson");
    assert_eq!(sekali("export", &["-o", text(&export)]).code, Some(0));
    assert_eq!(sekali("import", &[text(&export), "--json"]).json()["duplicates"], 500);
    let bench = sekali("bench", &["--duration", "0.2", "--connections", "2", "--json"]).json();
    assert_eq!((bench["errors"].as_u64(), bench["events_per_second"].as_f64() > Some(0.0)), (Some(0), true), "{bench}");
}

#[test]
fn a_server_that_is_not_trusted_is_not_talked_to() {
    let place = Place::new();
    let stranger = Authority::new(place.dir.path(), "strangers-ca");
    let servers = [
        (stranger.issue("wrong-ca"), "UnknownIssuer"),
        (place.authority.issue_expired("expired"), "expired"),
        (place.authority.issue_for("wrong-name", &["other.example"]), "not valid for name"),
    ];
    for (pair, reason) in servers {
        let served = Served::spawn(&mut place.serve(&pair, &[]));
        let refused = place.ask(&served, &[]);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(refused.stderr.contains(reason) && refused.stderr.contains("--ca-cert"), "{refused:?}");
    }
}

#[test]
fn a_publisher_does_not_go_on_asking_a_server_it_cannot_trust() {
    let place = Place::new();
    let stranger = Authority::new(place.dir.path(), "strangers-ca");
    let served = Served::spawn(&mut place.serve(&stranger.issue("server"), &[]));
    let arguments = ["publish", "--url", &served.url, "--ca-cert", text(&place.authority.cert), "--count", "5"];
    let refused = run(&[&arguments[..], &["--retry-for", "100000"]].concat());
    assert_eq!(refused.code, Some(3), "{refused:?}");
}

#[test]
fn with_a_client_ca_only_clients_of_that_ca_are_served() {
    let place = Place::new();
    let clients = Authority::new(place.dir.path(), "clients-ca");
    let stranger = Authority::new(place.dir.path(), "strangers-ca");
    let more = ["--client-ca", text(&clients.cert)];
    let served = Served::spawn(&mut place.serve(&place.authority.issue("server"), &more));
    let without = place.ask(&served, &[]);
    assert_eq!(without.code, Some(3), "{without:?}");
    assert!(without.stderr.contains("--client-cert"), "{without:?}");
    for wrong in [stranger.issue("stranger"), clients.issue_expired("expired-client")] {
        let refused = place.ask(&served, &["--client-cert", text(&wrong.cert), "--client-key", text(&wrong.key)]);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(refused.stderr.contains("--client-cert"), "{refused:?}");
    }
    let right = clients.issue("client");
    let served = place.ask(&served, &["--client-cert", text(&right.cert), "--client-key", text(&right.key)]);
    assert_eq!((served.code, served.stdout.as_str()), (Some(0), "ready\n"), "{served:?}");
}

#[test]
fn certificates_for_an_address_without_https_are_a_mistake() {
    let place = Place::new();
    let refused = run(&["stats", "--url", "127.0.0.1:1", "--ca-cert", text(&place.authority.cert)]);
    assert_eq!(refused.code, Some(1));
    expect_test::expect![[r#"
        sekali: certificates were named, but http://127.0.0.1:1 is not encrypted; write it with https://
    "#]]
    .assert_eq(&refused.stderr);
}
