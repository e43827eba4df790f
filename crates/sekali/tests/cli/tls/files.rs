//! Certificate files that are missing, damaged or mixed up.

use std::fmt::Write as _;

use sekali_testkit::{Authority, KeyPairFiles};

use super::{Place, text};
use crate::process::Run;
use crate::served::Served;

#[test]
fn a_server_does_not_start_with_files_it_cannot_use_and_says_which() {
    let place = Place::new();
    let dir = place.dir.path();
    let good = place.authority.issue("good");
    let write = |name: &str, content: &str| {
        std::fs::write(dir.join(name), content).unwrap();
        dir.join(name)
    };
    let missing = dir.join("missing.pem");
    let empty = write("empty.pem", "\n");
    let prose = write("prose.pem", "the certificate is in the other drawer\n");
    let half = write("half.pem", &std::fs::read_to_string(&good.cert).unwrap()[..200]);
    let hollow = write("hollow.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    let cert = |cert: &std::path::Path| KeyPairFiles { cert: cert.to_owned(), ..good.clone() };
    let key = |key: &std::path::Path| KeyPairFiles { key: key.to_owned(), ..good.clone() };
    let swapped = KeyPairFiles { cert: good.key.clone(), key: good.cert.clone() };
    let mut pairs = vec![cert(&missing), cert(&empty), cert(&prose), cert(&half), cert(&hollow)];
    pairs.extend([key(&missing), key(&empty), key(&prose), swapped, key(&place.authority.issue("other").key)]);
    let mut said = String::new();
    let mut note = |run: Run| {
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
        write!(said, "{}", run.stderr.replace(text(dir), "DIR")).unwrap();
    };
    for pair in &pairs {
        note(place.serve(pair, &[]).output().unwrap().into());
    }
    note(place.serve(&good, &["--client-ca", text(&prose)]).output().unwrap().into());
    expect_test::expect![[r#"
        sekali: cannot read DIR/missing.pem: No such file or directory (os error 2)
        sekali: DIR/empty.pem is empty
        sekali: DIR/prose.pem has no certificate in PEM form, which begins with -----BEGIN
        sekali: DIR/half.pem is damaged: it breaks off
        sekali: DIR/hollow.pem cannot be used: its certificate is not valid (BadEncoding)
        sekali: cannot read DIR/missing.pem: No such file or directory (os error 2)
        sekali: DIR/empty.pem is empty
        sekali: DIR/prose.pem has no unencrypted private key in PEM form, which begins with -----BEGIN
        sekali: DIR/good.key has no certificate in PEM form, which begins with -----BEGIN
        sekali: DIR/other.key is not the key of the certificate in DIR/good.pem
        sekali: DIR/prose.pem has no certificate in PEM form, which begins with -----BEGIN
    "#]]
    .assert_eq(&said);
    assert!(!dir.join("data").exists(), "nothing is made before the files are found good");
}

#[test]
fn a_certificate_without_its_key_is_a_usage_error() {
    let place = Place::new();
    let run = crate::process::run(&["serve", "--tls-cert", text(&place.authority.cert)]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--tls-key"), "{run:?}");
}

#[test]
fn an_expired_certificate_is_served_with_a_warning() {
    let place = Place::new();
    let log = place.dir.path().join("log");
    let expired = place.authority.issue_expired("expired");
    let future = place.authority.issue_not_yet_valid("future");
    let good = place.authority.issue("good");
    let stranger = Authority::new(place.dir.path(), "strangers-ca").issue("stranger");
    let cases = [
        (&expired, Some("expired at 2020-01-02T00:00:00Z")),
        (&future, Some("not valid before 3000-01-01T00:00:00Z")),
        (&good, None),
        (&stranger, None),
    ];
    for (pair, warning) in cases {
        drop(Served::spawn_with_log(&mut place.serve(pair, &[]), &log));
        let log = std::fs::read_to_string(&log).unwrap();
        assert_eq!(log.contains("clients will refuse the certificate"), warning.is_some(), "{log}");
        assert!(log.contains(warning.unwrap_or_default()), "{log}");
    }
}
