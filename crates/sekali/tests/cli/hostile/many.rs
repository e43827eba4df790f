//! Many idle clients.

use std::io::Write as _;
use std::net::TcpStream;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::Victim;
use crate::process::run;

const CONNECTIONS: usize = 1_000;

/// The test's ends of the connections are files too.
fn let_us_open(files: usize) {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(limit.maximum.is_none_or(|max| max as usize >= files), "this test needs {files} open files");
}

#[test]
fn a_thousand_idle_connections_keep_nobody_out() {
    let_us_open(CONNECTIONS + 256);
    let victim = Victim::start();
    let idle: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|number| {
            let mut stream = victim.connect();
            // Some have sent nothing, some half a request.
            if number % 2 == 0 {
                stream
                    .write_all(b"POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{")
                    .unwrap();
            }
            stream
        })
        .collect();
    let publish = ["publish", "--url", &victim.served.url, "--count", "20000", "--json"];
    let published = run(&publish).json();
    assert_eq!((published["received"].as_u64(), published["retries"].as_u64()), (Some(20_000), Some(0)));
    assert_eq!(run(&["health", "--url", &victim.served.url]).code, Some(0));
    drop(idle);
}
