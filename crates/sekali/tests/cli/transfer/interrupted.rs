use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Run, command, run};

const HEADERS: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";

/// A server that sends some events, and then disconnects or stalls.
fn server(goes_away: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut request = [0; 4_096];
                let length = stream.read(&mut request).unwrap();
                if request[..length].starts_with(b"GET /events/count") {
                    return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
                stream.write_all(HEADERS.as_bytes()).unwrap();
                for seq in 1..=1_000 {
                    let line = format!(
                        "{{\"topic\":\"t\",\"event_id\":\"{seq}\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"source\":\"s\",\
                         \"payload\":{{}},\"seq\":{seq},\"received_at\":\"2025-01-01T00:00:00Z\"}}\n"
                    );
                    write!(stream, "{:x}\r\n{line}\r\n", line.len()).unwrap();
                }
                if !goes_away {
                    std::thread::sleep(Duration::from_secs(60));
                }
            });
        }
    });
    url
}

#[test]
fn an_export_that_breaks_off_leaves_the_old_file_and_nothing_else() {
    let url = server(true);
    for name in ["events.ndjson", "events.csv", "events.db", "events.parquet"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, "yesterday's").unwrap();
        let result = run(&["export", "--url", &url, "-o", path.to_str().unwrap()]);
        assert_eq!(result.code, Some(3), "{result:?}");
        assert!(result.stderr.contains("the export broke off and was thrown away"), "{result:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "yesterday's");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing() {
    let url = server(false);
    for (name, signal, code) in
        [("events.csv", "INT", Some(130)), ("events.db", "TERM", Some(130)), ("events.db", "KILL", None)]
    {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let child = command(&["export", "--url", &url, "-o", path.to_str().unwrap()]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::read_dir(dir.path()).unwrap().count() == 0 {
            assert!(Instant::now() < deadline, "the export does not begin");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100));
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let result = Run::from(child.wait_with_output().unwrap());
        assert_eq!(result.code, code, "{result:?}");
        assert!(!path.exists(), "{name} looks whole");
        if code.is_some() {
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{name}");
        }
    }
}

#[test]
fn something_that_is_no_sekali_server_is_recognised() {
    let server = crate::scripted::Scripted::start(|_, _| {
        crate::scripted::Reply::Full(200, Vec::new(), "[{\"payload\":{}}]".to_owned())
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.csv");
    let result = run(&["export", "--url", &server.url, "-o", path.to_str().unwrap()]);
    assert_eq!(result.code, Some(1), "{result:?}");
    assert!(result.stderr.contains("not the stream of events that a Sekali server sends"), "{result:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
