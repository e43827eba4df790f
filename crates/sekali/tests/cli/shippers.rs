//! Clients of other protocols and a server that is killed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::process::run;
use crate::served::Served;

/// A request, byte for byte.
fn request(path: &str, media_type: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: test\r\ncontent-type: {media_type}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_client_that_never_saw_the_answer_repeats_its_request_and_nothing_is_stored_twice() {
    let bulk = "{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{}\n{\"create\":{\"_index\":\"a\",\"_id\":\"2\"}}\n{}\n";
    // Equal requests with such times need not be repeats: only the doubt tells.
    let coarse = "{\"time\":\"2025-10-24T21:00:00Z\"}\n";
    let loki = r#"{"streams":[{"stream":{"job":"a"},"values":[["1761339600000000000","x"]]}]}"#;
    let hec = r#"{"time":1761339600,"event":"x"}"#;
    for (path, media_type, body, events) in [
        ("/_bulk", "application/x-ndjson", bulk, 2),
        ("/ingest", "application/x-ndjson", coarse, 1),
        ("/loki/api/v1/push", "application/json", loki, 1),
        ("/services/collector", "application/json", hec, 1),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = Served::start(dir.path());
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.write_all(request(path, media_type, body).as_bytes()).unwrap();
        // The events are stored once the answer comes, and the client never reads it.
        assert!(client.peek(&mut [0]).unwrap() > 0);
        server.kill();
        drop(client);
        let server = Served::start(dir.path());
        let mut client = TcpStream::connect(server.address()).unwrap();
        client.write_all(request(path, media_type, body).as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
        let stats = run(&["stats", "--json", "--url", &server.url]).json();
        assert_eq!(
            (&stats["unique_processed"], &stats["duplicate_dropped"]),
            (&events.into(), &events.into()),
            "{path}"
        );
    }
}
