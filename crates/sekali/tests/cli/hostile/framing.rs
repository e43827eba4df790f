//! Requests with an ambiguous length, and malformed ones.

use std::io::{Read as _, Write as _};

use super::Victim;

const EVENT: &str = r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":{}}"#;

/// A request with these headers, a complete body in chunks, and bytes that could be taken for
/// another request.
fn smuggled(headers: &str) -> String {
    let next = "POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
    format!(
        "POST /publish HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n{:x}\r\n{EVENT}\r\n0\r\n\r\n{next}",
        EVENT.len()
    )
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_refused() {
    let victim = Victim::start();
    let ambiguous = [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: -5",
        "content-length: 0x5",
        "content-length: 5 5",
        "content-length: 99999999999999999999999",
        "content-length:",
        "content-length : 5",
        "transfer-encoding : chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "content-length: 5\r\ntransfer-encoding: identity",
        "transfer-encoding: \u{b}chunked",
        " transfer-encoding: chunked",
        "x: y\r\n transfer-encoding: chunked",
        "x: y\ntransfer-encoding : chunked",
        "x: y\rtransfer-encoding: chunked",
    ];
    for headers in ambiguous {
        let answer = victim.exchange(smuggled(headers).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers:?}: {answer}");
    }
    let old = smuggled("transfer-encoding: chunked").replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert!(victim.exchange(old.as_bytes()).contains(" 400 Bad Request"));
    assert_eq!(victim.events_stored(), 0);
    victim.expect_others_are_served();
}

/// RFC 9112, 6.1: the chunks count, and the bytes behind them are no request.
#[test]
fn after_a_request_with_both_kinds_of_length_nothing_is_read() {
    let victim = Victim::start();
    for headers in
        ["content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 5"]
    {
        let answer = victim.exchange(smuggled(headers).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 202") && answer.contains("connection: close"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
    assert_eq!(victim.events_stored(), 1);
}

#[test]
fn a_body_that_is_not_as_announced_stores_nothing() {
    let victim = Victim::start();
    let publish = "POST /publish HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    for chunks in ["zz\r\n", "5\r\nabcdefgh\r\n0\r\n\r\n", "-1\r\n\r\n", "ffffffffffffffffff\r\n", "5;\r\n\0\0\0\0\0\0"]
    {
        let answer = victim.exchange(format!("{publish}transfer-encoding: chunked\r\n\r\n{chunks}").as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{chunks:?}: {answer}");
    }
    let mut short = victim.connect();
    write!(short, "{publish}content-length: {}\r\n\r\n{EVENT}", EVENT.len() + 1).unwrap();
    short.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    short.read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    let long = victim.exchange(format!("{publish}content-length: {}\r\n\r\n{EVENT}", EVENT.len() - 1).as_bytes());
    assert!(long.starts_with("HTTP/1.1 400") && long.contains("invalid_json"), "{long}");
    assert_eq!(victim.events_stored(), 0);
}

#[test]
fn headers_are_limited_in_bytes_and_in_number() {
    let victim = Victim::start();
    let get = |headers: &str| {
        victim.exchange(
            format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n").as_bytes(),
        )
    };
    assert!(get(&format!("x: {}\r\n", "y".repeat(15_000))).starts_with("HTTP/1.1 200"));
    let ours = get(&format!("x: {}\r\n", "y".repeat(17_000)));
    assert!(ours.starts_with("HTTP/1.1 431") && ours.contains(r#""code":"headers_too_large""#), "{ours}");
    for headers in [format!("x: {}\r\n", "y".repeat(200_000)), "x: y\r\n".repeat(101), "x: y\r\n".repeat(1_000_000)] {
        let answer = get(&headers);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let target =
        victim.exchange(format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "y".repeat(1_000_000)).as_bytes());
    assert!(target.is_empty() || target.starts_with("HTTP/1.1 431"), "{target}");
    victim.expect_others_are_served();
}

#[test]
fn what_is_no_http_costs_only_its_connection() {
    let victim = Victim::start();
    let noise: Vec<u8> = (0..100_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for bytes in [
        &noise[..],
        b"\0",
        b"\r\n\r\n\r\nx\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = victim.connect();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let answer = super::read_to_end(&mut stream);
        assert!(answer.is_empty() || answer.contains("400 Bad Request"), "{answer}");
    }
    victim.expect_others_are_served();
}
