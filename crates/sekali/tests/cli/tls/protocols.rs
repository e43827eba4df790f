//! Protocols and versions.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::{Place, connect, trusting, trusting_in};
use crate::served::Served;

#[test]
fn http1_and_http2_are_spoken_as_the_client_likes() {
    let place = Place::new();
    let served = Served::spawn(&mut place.serve(&place.authority.issue("server"), &[]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (protocols, version) in [
        (&["h2", "http/1.1"][..], reqwest::Version::HTTP_2),
        (&["http/1.1"], reqwest::Version::HTTP_11),
        (&[], reqwest::Version::HTTP_11),
    ] {
        let mut config = trusting(&place.authority.cert);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let client = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
        let answer = runtime.block_on(client.get(format!("{}/livez", served.url)).send()).unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }
}

#[test]
fn tls_begins_with_version_1_2() {
    let place = Place::new();
    let served = Served::spawn(&mut place.serve(&place.authority.issue("server"), &[]));
    for (only, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let config = trusting_in(&[only], &place.authority.cert);
        assert_eq!(connect(&served, config).conn.protocol_version(), Some(expected));
    }
    let mut old = TcpStream::connect(served.address()).unwrap();
    old.write_all(&hello_of_version_1_1()).unwrap();
    let mut answer = Vec::new();
    old.read_to_end(&mut answer).unwrap();
    // A fatal alert "protocol version", and the end of the connection.
    assert!(matches!(answer[..], [21, 3, _, 0, 2, 2, 70]), "{answer:?}");
}

/// RFC 4346, 7.4.1.2: version, random, no session, two cipher suites, no compression; and RFC 5246,
/// 7.4.1.4.1, which servers look for before the version: two signature algorithms.
fn hello_of_version_1_1() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x13, 0, 0x2f, 1, 0]);
    body.extend([0, 10, 0, 13, 0, 6, 0, 4, 4, 3, 4, 1]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[test]
fn nothing_is_said_in_plain_text() {
    let place = Place::new();
    let served = Served::spawn(&mut place.serve(&place.authority.issue("server"), &[]));
    let mut plain = TcpStream::connect(served.address()).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // The connection may end with a reset.
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    assert_eq!(place.ask(&served, &[]).code, Some(0), "nobody else suffers for it");
}
