//! A server without a free file descriptor.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::process::{command, run};
use crate::served::Served;

/// Limits the number of files that the server may open.
fn limit_files(served: &Served, files: u64) {
    let pid = Pid::from_raw(i32::try_from(served.pid()).unwrap());
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(files), maximum }).unwrap();
}

fn get_livez(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"HTTP/1.1 200")
}

#[test]
fn without_a_file_for_it_a_connection_waits_and_the_others_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let data_dir = dir.path().join("data");
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()]);
    let served = Served::spawn_with_log(&mut serve, &log);
    let connect = || {
        let stream = TcpStream::connect(served.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        stream
    };
    let mut early = connect();
    assert!(get_livez(&mut early).unwrap());
    // Lower than the number of open files: no more can be opened.
    limit_files(&served, 3);
    let mut late = connect();
    assert!(get_livez(&mut late).is_err(), "it has no file for this connection");
    early.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut rest = [0; 4096];
    let _ = early.read(&mut rest).unwrap();
    assert!(get_livez(&mut early).unwrap(), "who has a connection is served");
    let warnings = std::fs::read_to_string(&log).unwrap().matches("cannot accept connections").count();
    assert!((1..50).contains(&warnings), "it says so, and does not try without pause: {warnings}");

    limit_files(&served, 4_096);
    let deadline = Instant::now() + Duration::from_secs(30);
    while run(&["health", "--url", &served.url]).code != Some(0) {
        assert!(Instant::now() < deadline, "it does not recover");
    }
}
