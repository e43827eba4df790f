//! Slow requests in the log of the server.

use std::fs::read_to_string;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::process::command;
use crate::served::Served;

/// Sends a request, and returns the head of the answer.
fn ask(served: &Served, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    let length = body.len();
    let head = format!("{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-request-id: the-slow-one\r\n");
    write!(stream, "{head}content-type: application/sql\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_slow_request_is_logged_with_where_its_time_went() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let served = Served::spawn_with_log(&mut command(&serve), &log);
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n";
    assert_eq!(ask(&served, "POST /sql?within=1200ms", endless), "HTTP/1.1 422 Unprocessable Entity");
    // Waiting for events is what it asked for.
    assert_eq!(ask(&served, "GET /events?wait=1200ms", ""), "HTTP/1.1 200 OK");
    served.kill();
    let log = read_to_string(log).unwrap();
    let slow: Vec<_> = log.lines().filter(|line| line.contains("slow request")).collect();
    assert_eq!(slow.len(), 1, "{log}");
    let line: serde_json::Value = serde_json::from_str(slow[0]).unwrap();
    assert_eq!((&line["level"], &line["path"], &line["id"]), (&"WARN".into(), &"/sql".into(), &"the-slow-one".into()));
    assert_eq!((&line["status"], &line["sync"], &line["wait"]), (&422.into(), &0.into(), &0.into()));
    let read = line["read"].as_u64().unwrap();
    assert!((1_000..=line["millis"].as_u64().unwrap()).contains(&read), "{line}");
}
