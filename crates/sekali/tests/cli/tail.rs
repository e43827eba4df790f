//! `sekali tail`: goes on where it was when its server is killed, and ends when it should.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{command, run, run_with_input};
use crate::served::Served;

struct Tailing {
    child: Child,
    /// `None` once the pipe was closed.
    lines: Option<BufReader<ChildStdout>>,
}

impl Tailing {
    fn start(url: &str, arguments: &[&str]) -> Self {
        let mut child = command(&[&["tail", "--url", url], arguments].concat()).spawn().unwrap();
        let lines = Some(BufReader::new(child.stdout.take().unwrap()));
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    fn event_id(&mut self) -> u64 {
        let event: Value = serde_json::from_str(&self.line()).unwrap();
        event["event_id"].as_str().unwrap().parse().unwrap()
    }

    fn code(mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Tailing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn publish(url: &str, ids: std::ops::Range<u64>) {
    let events: String = ids
        .map(|id| {
            format!(
                "{{\"topic\":\"t\",\"event_id\":\"{id}\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"source\":\"s\",\
                 \"payload\":{{\"n\":{id},\"text\":\"a\\u001bb\"}}}}\n"
            )
        })
        .collect();
    let result = run_with_input(&["publish", "--url", url], &events);
    assert_eq!(result.code, Some(0), "{result:?}");
}

#[test]
fn no_event_is_left_out_or_shown_twice_when_the_server_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Served::start(dir.path());
    let (url, address) = (server.url.clone(), server.address().to_owned());
    publish(&url, 0..50);
    let mut tailing = Tailing::start(&url, &["--from-beginning"]);
    let mut next = 0;
    for round in 1..4 {
        while next < round * 50 {
            assert_eq!(tailing.event_id(), next);
            next += 1;
        }
        server.kill();
        server = Served::start_at(&address, dir.path());
        publish(&url, next..next + 50);
    }
    while next < 200 {
        assert_eq!(tailing.event_id(), next);
        next += 1;
    }
}

#[test]
fn it_ends_at_a_signal_a_limit_and_a_closed_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let server = Served::start(dir.path());
    publish(&server.url, 0..5);
    let mut interrupted = Tailing::start(&server.url, &["--from-beginning"]);
    assert_eq!(interrupted.event_id(), 0);
    let pid = interrupted.child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
    assert_eq!(interrupted.code(), Some(0));

    let limited = run(&["tail", "--url", &server.url, "--from-beginning", "--limit", "3", "--columns", "n,text,none"]);
    assert_eq!(limited.code, Some(0), "{limited:?}");
    let lines: Vec<_> = limited.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], "2025-01-01T00:00:00Z t  n=1  text=a\\u001bb  none=-");

    // Without an event that would have to be written.
    let mut closed = Tailing::start(&server.url, &["--from-beginning"]);
    assert_eq!(closed.event_id(), 0);
    closed.lines = None;
    assert_eq!(closed.code(), Some(0));
}
