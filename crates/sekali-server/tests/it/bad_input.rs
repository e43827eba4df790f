//! Invalid input is refused with its position and reason, and nothing of it is stored.

use std::io::Write as _;

use bytes::Bytes;
use expect_test::expect;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::StreamBody;
use hyper::body::Frame;
use sekali_server::limits::BODY_WIRE_BYTES_MAX;
use sekali_store::limits::PAYLOAD_BYTES_MAX;
use sekali_wire::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX};
use serde_json::{Value, json};

use crate::connections::raw;
use crate::disk::MoodyDisk;
use crate::server::{Answer, TestServer, event};

fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
    let request = server.request("POST", path).body(body);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// A change that makes a valid event invalid.
fn with(field: &str, value: Value) -> Value {
    let mut event = event("t", "1");
    event[field] = value;
    event
}

#[test]
fn what_is_not_json_is_400() {
    let server = TestServer::start();
    let good = event("t", "1").to_string();
    for body in ["", "hello", "{", "[{}", "{\"topic\":}", &format!("[{good},]"), &format!("{good}{good}")] {
        post(&server, "/publish", &[], body.to_owned()).expect_error(400, "invalid_json");
    }
    post(&server, "/publish", &[], b"\"\xff\"".to_vec()).expect_error(400, "invalid_json");
    let lines = format!("{good}\n{{\"topic\":\n");
    post(&server, "/publish", &[("content-type", "application/x-ndjson")], lines).expect(400, &expect![[
        r#"{"code":"invalid_json","message":"the body is not JSON at line 2 column 9: EOF while parsing a value","errors":[{"line":2,"column":9,"reason":"EOF while parsing a value"}]}"#
    ]]);
    server.expect_nothing_stored();
}

#[test]
fn what_is_wrong_with_a_body_is_said_with_the_remedy() {
    let server = TestServer::start();
    let good = event("t", "1").to_string();
    let compress = |data: &str| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(data.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    for (body, remedy) in [
        (format!("{good}\n{good}\n").into_bytes(), "for one event a line send application/x-ndjson"),
        (format!("{good}{good}").into_bytes(), "for one event a line send application/x-ndjson"),
        (compress(&good), "Content-Encoding: gzip"),
        (zstd::stream::encode_all(good.as_bytes(), 1).unwrap(), "Content-Encoding: zstd"),
        (good.encode_utf16().flat_map(u16::to_le_bytes).collect(), ""),
        ([&[0xFF, 0xFE][..], good.as_bytes()].concat(), "UTF-16"),
    ] {
        let answer = post(&server, "/publish", &[], body).expect_error(400, "invalid_json");
        assert!(answer.json()["message"].as_str().unwrap().contains(remedy), "{}", answer.body);
    }
    let answer = post(&server, "/publish", &[("content-type", "application/json; charset=latin1")], good.clone());
    assert!(answer.expect_error(415, "unsupported_media_type").body.contains("latin1"));
    let broken = format!("host: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nno\r\n{good}");
    let answer = raw(&server, &format!("POST /publish HTTP/1.1\r\n{broken}"));
    assert!(answer.contains("invalid_encoding") && answer.contains("chunk"), "{answer}");
    server.expect_nothing_stored();
}

#[test]
fn utf_8_goes_by_several_names() {
    let server = TestServer::start();
    for (id, charset) in (0..).zip(["utf-8", "UTF8", "\"utf8\"", "us-ascii", "ascii"]) {
        let media = format!("application/json; charset={charset}");
        let event = event("t", &id.to_string()).to_string();
        post(&server, "/publish", &[("content-type", &media)], event).expect_status(202);
    }
    server.expect_counts(5, 5, 0, 0);
}

#[test]
fn zstd_bodies_of_every_size_are_taken() {
    let server = TestServer::start();
    for (id, len) in (0..).zip([65_535, 65_536, 65_537, 131_072, 1 << 20]) {
        let event = event("t", &id.to_string()).to_string();
        let body = format!("{event}{}", " ".repeat(len - event.len()));
        let body = zstd::stream::encode_all(body.as_bytes(), 3).unwrap();
        post(&server, "/publish", &[("content-encoding", "zstd")], body).expect_status(202);
    }
    server.expect_counts(5, 5, 0, 0);
}

/// `Retry-After` makes clients send the same again, for ever.
#[test]
fn what_can_never_be_taken_is_not_called_overload() {
    let disk = std::sync::Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(std::sync::Arc::clone(&disk) as _, |_| {});
    let announce = |more: &str| {
        raw(
            &server,
            &format!(
                "POST /publish HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}expect: 100-continue\r\n\r\n"
            ),
        )
    };
    disk.hold_syncs(true);
    let mut large = event("t", "1");
    large["payload"] = json!({"text": "x".repeat(1_000_000)});
    let body = Value::from(vec![large; 30]).to_string();
    let waiting: Vec<_> = (0..3).map(|_| server.request("POST", "/publish").body(body.clone()).spawn()).collect();
    while server.get("/stats").json()["queued_bytes"].as_u64() < Some(3 * 30_000_000) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for bytes in [BODY_WIRE_BYTES_MAX + 1, 1 << 27, (1 << 27) + 1, usize::MAX >> 1] {
        let answer = announce(&format!("content-length: {bytes}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too_large"), "{bytes}: {answer}");
    }
    let answer = announce("content-encoding: br\r\ncontent-length: 30000000\r\n");
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    assert!(announce("content-length: 30000000\r\n").starts_with("HTTP/1.1 503"), "it is overloaded");
    disk.hold_syncs(false);
    for waiting in waiting {
        server.runtime().block_on(waiting).unwrap().expect_status(202);
    }
}

#[test]
fn other_media_types_and_encodings_are_415() {
    let server = TestServer::start();
    let good = || event("t", "1").to_string();
    for media in ["text/plain", "application/x-www-form-urlencoded", "text/csv", "application/json; charset=latin1", ""]
    {
        post(&server, "/publish", &[("content-type", media)], good()).expect_error(415, "unsupported_media_type");
    }
    for encoding in ["br", "gzip, gzip", "compress"] {
        post(&server, "/publish", &[("content-encoding", encoding)], good())
            .expect_error(415, "unsupported_media_type");
    }
    server.expect_nothing_stored();
}

#[test]
fn bodies_that_are_not_what_their_encoding_says_are_400() {
    let server = TestServer::start();
    let good = || event("t", "1").to_string();
    for encoding in ["gzip", "deflate", "zstd"] {
        post(&server, "/publish", &[("content-encoding", encoding)], good()).expect_error(400, "invalid_encoding");
        post(&server, "/publish", &[("content-encoding", encoding)], "").expect_error(400, "invalid_encoding");
    }
    let whole = zstd::stream::encode_all(good().as_bytes(), 1).unwrap();
    let cut = whole[..whole.len() - 3].to_vec();
    post(&server, "/publish", &[("content-encoding", "zstd")], cut).expect_error(400, "invalid_encoding");
    server.expect_nothing_stored();
}

#[test]
fn every_invalid_event_is_named_by_index_and_field() {
    let server = TestServer::start();
    let body = json!([event("t", "1"), with("topic", json!("$conflicts")), {}, with("payload", json!("text")), 7]);
    server.publish(&body).expect(422, &expect![[
        r#"{"code":"invalid_event","message":"4 events are not valid, nothing was stored","errors":[{"index":1,"field":"topic","reason":"topics that begin with `$` are reserved"},{"index":2,"field":"topic","reason":"is missing"},{"index":2,"field":"event_id","reason":"is missing"},{"index":2,"field":"timestamp","reason":"is missing"},{"index":2,"field":"source","reason":"is missing"},{"index":2,"field":"payload","reason":"is missing"},{"index":3,"field":"payload","reason":"must be an object, not a string"},{"index":4,"field":"","reason":"must be an object, not a number"}]}"#
    ]]);
    server.expect_nothing_stored();
}

#[test]
fn what_is_not_an_event_is_422() {
    let server = TestServer::start();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    for (field, value) in [
        ("topic", json!("")),
        ("topic", json!("x".repeat(256))),
        ("topic", json!("a\nb")),
        ("topic", json!("$")),
        ("topic", json!(null)),
        ("event_id", json!("")),
        ("event_id", json!("x".repeat(513))),
        ("event_id", json!(12)),
        ("event_id", json!("\u{7f}")),
        ("source", json!("x".repeat(256))),
        ("source", json!("\u{85}")),
        ("timestamp", json!("yesterday")),
        ("timestamp", json!("2025-10-24T21:00:00.1234567891Z")),
        ("timestamp", json!("2500-01-01T00:00:00Z")),
        ("timestamp", json!(1_761_339_600)),
        ("payload", json!([])),
        ("payload", serde_json::from_str(&deep).unwrap()),
        ("host", json!("web-1")),
    ] {
        let answer = server.publish(&with(field, value)).expect_error(422, "invalid_event");
        let error = &answer.json()["errors"][0];
        assert_eq!((&error["index"], &error["field"]), (&json!(0), &json!(field)), "{error}");
    }
    for body in [json!(null), json!(5), json!("x"), json!([[]]), json!({"events": 5}), json!({"events": [], "x": 1})] {
        server.publish(&body).expect_error(422, "invalid_event");
    }
    let twice = event("t", "1").to_string().replacen('{', "{\"topic\":\"u\",", 1);
    post(&server, "/publish", &[], twice).expect_error(422, "invalid_event");
    server.expect_nothing_stored();
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    let server = TestServer::start();
    let deep = "[".repeat(400_000) + &"]".repeat(400_000);
    let body = event("t", "1").to_string().replace("\"hello\"", &deep);
    post(&server, "/publish", &[], body).expect_error(422, "invalid_event");
    post(&server, "/publish", &[], "[".repeat(1_000_000)).expect_error(400, "invalid_json");
    post(&server, "/publish", &[], deep).expect_error(422, "invalid_event");
    server.expect_nothing_stored();
}

#[test]
fn what_is_too_large_is_413() {
    let server = TestServer::start();
    let large = with("payload", json!({"a": "x".repeat(PAYLOAD_BYTES_MAX)}));
    server.publish(&large).expect(413, &expect![[
        r#"{"code":"too_large","message":"1 event is too large, nothing was stored","errors":[{"index":0,"field":"payload","reason":"has 1048584 bytes; at most 1048576 are allowed"}]}"#
    ]]);
    let many = format!("[{}{}]", format!("{},", event("t", "1")).repeat(BATCH_EVENTS_MAX), event("t", "1"));
    post(&server, "/publish", &[], many).expect_error(413, "too_large");
    post(&server, "/publish", &[], " ".repeat(BODY_WIRE_BYTES_MAX + 1)).expect_error(413, "too_large");
    // Without Content-Length the server learns the size only while it reads.
    let piece = |_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b' '; 1 << 20])));
    let endless = StreamBody::new(tokio_stream::iter((0..40).map(piece)));
    post(&server, "/publish", &[], reqwest::Body::wrap(endless)).expect_error(413, "too_large");
    server.expect_nothing_stored();
}

#[test]
fn compression_bombs_are_413_and_defused() {
    const BOMB_BYTES: usize = 512 << 20;
    let server = TestServer::start();
    let zeros = vec![b' '; 1 << 20];
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let mut zstd = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..BOMB_BYTES / zeros.len() {
        gzip.write_all(&zeros).unwrap();
        zstd.write_all(&zeros).unwrap();
    }
    let (gzip, zstd) = (gzip.finish().unwrap(), zstd.finish().unwrap());
    assert!(gzip.len() < BODY_WIRE_BYTES_MAX && zstd.len() < BODY_WIRE_BYTES_MAX && BOMB_BYTES > BODY_BYTES_MAX);
    post(&server, "/publish", &[("content-encoding", "gzip")], gzip).expect_error(413, "too_large");
    post(&server, "/publish", &[("content-encoding", "zstd")], zstd).expect_error(413, "too_large");
    server.expect_nothing_stored();
}

#[test]
fn unknown_repeated_and_wrong_parameters_are_400() {
    let server = TestServer::start();
    post(&server, "/publish?verbos=true", &[], event("t", "1").to_string()).expect(400, &expect![[r#"{"code":"invalid_parameter","message":"parameter `verbos`: unknown parameter; allowed: invalid, verbose, dry_run","errors":[{"parameter":"verbos","reason":"unknown parameter","allowed":["invalid","verbose","dry_run"]}]}"#]]);
    for path in
        ["/publish?verbose=yes", "/publish?invalid=ignore", "/publish?verbose=true&verbose=true", "/publish?verbose"]
    {
        post(&server, path, &[], event("t", "1").to_string()).expect_error(400, "invalid_parameter");
    }
    for path in [
        "/events?topics=a",
        "/events?limit=1&limit=2",
        "/events?topic=",
        "/events?topic=%FF",
        "/events?limit=0",
        "/events?limit=10001",
        "/events?limit=ten",
        "/events?limit=-1",
        "/events?order=up",
        "/events?q=",
        &format!("/events?q={}", "x".repeat(257)),
        &format!("/events?payload.{}=1&payload.a=1", vec!["a"; 64].join(".")),
        "/events?event_id=",
        "/events?payload=1",
        "/events/count?limit=1",
        "/events/count?interval=1w",
        "/events/t/1?x=1",
        "/events/t/%FF",
        "/stats?x=1",
        "/topics?x=1",
    ] {
        server.get(path).expect_error(400, "invalid_parameter");
    }
    server.expect_nothing_stored();
}

#[test]
fn other_paths_are_404_and_other_methods_405() {
    let server = TestServer::start();
    for path in ["/event", "/publish/", "/events/t", "/events/t/1/2"] {
        server.get(path).expect_error(404, "not_found");
    }
    server.get("/events/t/1").expect(
        404,
        &expect![[r#"{"code":"not_found","message":"no event with this topic and event id is stored","errors":[]}"#]],
    );
    assert_eq!(server.get("/publish").expect_error(405, "method_not_allowed").header("allow"), Some("POST"));
    for (method, path) in [("DELETE", "/events"), ("PUT", "/events/t/1"), ("POST", "/stats")] {
        server.request(method, path).send().expect_error(405, "method_not_allowed");
    }
    server.expect_nothing_stored();
}
