//! Client commands against a server.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Run, command, run, run_with_input};
use crate::served::Served;

fn counts(answer: &Value) -> [u64; 4] {
    ["received", "unique_processed", "duplicate_dropped", "conflicts"].map(|field| answer[field].as_u64().unwrap())
}

#[test]
fn a_second_demo_finds_every_event_known() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let demo =
        || run(&["demo", "--exit", "--json", "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()]);
    assert_eq!(counts(&demo().json()), [5_000, 4_000, 1_000, 0]);
    assert_eq!(counts(&demo().json()), [5_000, 0, 5_000, 0]);
}

#[test]
fn a_demo_for_people_shows_what_to_try_and_stays_up() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["demo", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()];
    let mut child = command(&arguments).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = String::new();
    while !shown.contains("Ctrl-C stops the server") {
        let mut part = [0; 1_024];
        let length = stdout.read(&mut part).unwrap();
        assert!(length > 0, "it ended after {shown}");
        shown.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    let url = shown.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches(',');
    assert_eq!(run(&["health", "--url", url]).code, Some(0));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let seconds = shown.split("events in ").nth(1).unwrap().split_whitespace().next().unwrap();
    let (_, time) = shown.split_once("\"timestamp\":\"").unwrap();
    let time = time.split('"').next().unwrap();
    let shown = shown
        .replace(time, "NOW")
        .replace(url, "URL")
        .replace(dir.path().to_str().unwrap(), "DIR")
        .replace(&format!("in {seconds} s"), "in N s");
    expect_test::expect![[r#"
        Open URL in a browser to see what happens
        (sekali with its data in DIR)

        published 5,000 events in N s
          stored        4,000  new
          duplicates    1,000  known already, not stored again
          conflicts         0  known with different content
          reconciled: received = stored + duplicates
          in the store's lifetime: 5,000 received = 4,000 stored + 1,000 duplicates

        Run it again: all of them will be duplicates, and nothing new is stored.

        Try
          curl URL/stats
          curl 'URL/events?topic=web.access&limit=3'
          curl URL/publish -H 'Content-Type: application/json' -d '
            {"topic":"demo","event_id":"id-123",
             "timestamp":"NOW","source":"curl",
             "payload":{"message":"hello"}}'

        Ctrl-C stops the server; the data stays.
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_server_killed_in_the_middle_of_a_publish_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let (url, address) = (served.url.clone(), served.address().to_owned());
    let publish = |more: &[&str]| {
        let arguments =
            ["publish", "--url", &url, "--count", "20000", "--dup-ratio", "0.2", "--batch-size", "50", "--json"];
        command(&[&arguments[..], more].concat())
    };
    let publishing = publish(&["--rate", "10000"]).spawn().unwrap();
    while run(&["stats", "--url", &url, "--json"]).json()["received"].as_u64() < Some(2_000) {
        std::thread::sleep(Duration::from_millis(20));
    }
    served.kill();
    std::thread::sleep(Duration::from_millis(300));
    let served = Served::start_at(&address, dir.path());
    let first = Run::from(publishing.wait_with_output().unwrap()).json();
    assert_eq!((first["received"].as_u64(), first["reconciled"].as_bool()), (Some(20_000), Some(true)));
    assert!(first["retries"].as_u64() > Some(0), "the server was not missed: {first}");

    let second = Run::from(publish(&[]).output().unwrap()).json();
    assert_eq!((second["stored"].as_u64(), second["duplicates"].as_u64()), (Some(0), Some(20_000)));
    let stats = run(&["stats", "--url", &served.url, "--json"]).json();
    let [received, unique, duplicates, conflicts] = counts(&stats);
    assert_eq!((unique, received, conflicts), (16_000, unique + duplicates, 0));
    let stored = run(&["events", "--url", &served.url]).stdout;
    let ids: HashSet<String> =
        stored.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event_id"].to_string()).collect();
    assert_eq!((stored.lines().count(), ids.len()), (16_000, 16_000));
}

#[test]
fn what_is_read_can_be_published_again() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    run(&["publish", "--url", &served.url, "--count", "2500", "--json"]).json();
    let export = run(&["events", "--url", &served.url]).stdout;
    assert_eq!(export.lines().count(), 2_500);
    let again = run_with_input(&["publish", "--url", &served.url, "--json"], &export).json();
    assert_eq!((again["duplicates"].as_u64(), again["conflicts"].as_u64()), (Some(2_500), Some(0)));
    let limited = run(&["events", "--url", &served.url, "--order", "desc", "--limit", "1500"]).stdout;
    let newest_first: Vec<&str> = export.lines().rev().take(1_500).collect();
    assert_eq!(limited.lines().collect::<Vec<_>>(), newest_first);
}

#[test]
fn a_line_the_server_refuses_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let rows = "topic,event_id,timestamp,source,payload\n\
                demo,1,2025-01-01T00:00:00Z,csv,{}\n\
                demo,2,yesterday,csv,{}\n\
                demo,3,2025-01-01T00:00:00Z,csv,[]\n";
    let refused = run_with_input(&["publish", "--url", &served.url], rows);
    assert_eq!(refused.code, Some(4));
    assert!(refused.stderr.contains("stdin:3: timestamp: "), "{refused:?}");
    assert!(refused.stderr.contains("stdin:4: payload: "), "{refused:?}");
    let skipped = run_with_input(&["publish", "--url", &served.url, "--skip-invalid", "--json"], rows);
    assert!(skipped.stderr.contains("skipped stdin:3: timestamp: "), "{skipped:?}");
    let answer = skipped.json();
    assert_eq!((answer["stored"].as_u64(), answer["invalid"].as_u64()), (Some(1), Some(2)));
}

#[test]
fn a_port_in_use_and_a_data_directory_in_use_have_codes_of_their_own() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let served = Served::start(dir.path());
    for subcommand in ["serve", "demo"] {
        let arguments = [subcommand, "--listen", served.address(), "--data-dir", other.path().to_str().unwrap()];
        let port = run(&arguments);
        assert_eq!(port.code, Some(6), "{port:?}");
        assert!(port.stderr.contains("sekali: cannot listen on "), "{port:?}");
        let arguments = [subcommand, "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()];
        let data = run(&arguments);
        assert_eq!(data.code, Some(5), "{data:?}");
        assert!(data.stderr.contains("in use by another process"), "{data:?}");
    }
}

#[test]
fn settings_that_make_no_sense_are_usage_errors() {
    let dir = tempfile::tempdir().unwrap();
    let serve = |more: &[&str]| {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()];
        run(&[&arguments[..], more].concat())
    };
    for more in [["--cors-origin", "*"], ["--log", "a=b=c"], ["--partitions", "0"]] {
        let result = serve(&more);
        assert_eq!((result.code, result.stderr.lines().count()), (Some(2), 1), "{result:?}");
    }
}

#[test]
fn sigterm_drains_and_a_second_one_insists() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    served.signal("TERM");
    assert_eq!(served.wait().code(), Some(0));

    let mut served = Served::start(dir.path());
    let mut slow = TcpStream::connect(served.address()).unwrap();
    slow.write_all(b"POST /publish HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n[").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    served.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(served.is_running(), "the request in progress was not waited for");
    served.signal("TERM");
    assert_eq!(served.wait().code(), Some(130));
}

/// A limit on file size makes the log's writes fail for real, as on a broken disk.
#[test]
fn a_failed_write_ends_the_server_with_a_code_of_its_own_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut serve = Command::new("sh");
    serve.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" serve --listen 127.0.0.1:0 \"$@\""]);
    serve.arg(env!("CARGO_BIN_EXE_sekali")).arg("--data-dir").arg(dir.path());
    let mut served = Served::spawn(&mut serve);
    let generated = ["--count", "20000", "--payload-bytes", "500", "--retry-for", "2", "--quiet", "--json"];
    let publish = |url: &str| run(&[&["publish", "--url", url], &generated[..]].concat());
    let failed = publish(&served.url);
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert_eq!(served.wait().code(), Some(9));

    let acknowledged = serde_json::from_str::<Value>(&failed.stdout).unwrap()["stored"].as_u64().unwrap();
    let served = Served::start(dir.path());
    let kept = run(&["stats", "--url", &served.url, "--json"]).json()["unique_processed"].as_u64().unwrap();
    assert!(acknowledged > 0 && kept >= acknowledged, "{kept} kept of {acknowledged}");
    let rest = publish(&served.url).json();
    assert_eq!(rest["stored"].as_u64().unwrap() + kept, 20_000);
}

#[test]
fn a_bench_without_a_server_starts_one_and_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().to_str().unwrap();
    let load = ["--duration", "0.5", "--connections", "2", "--batch-size", "10", "--json", "--scratch-dir", scratch];
    let report = run(&[&["bench"], &load[..]].concat()).json();
    let number = |field: &str| report[field].as_u64().unwrap();
    assert!(number("stored") > 0 && report["events_per_second"].as_f64() > Some(0.0), "{report}");
    assert_eq!((number("errors"), number("conflicts")), (0, 0));
    let (duplicates, sent) = (number("duplicates"), number("requests") * 10);
    assert_eq!(number("stored") + duplicates, sent);
    assert!(duplicates.abs_diff(sent / 5) <= 2, "{duplicates} of {sent}");
    for quantile in ["p50_ms", "p99_ms", "p99_9_ms"] {
        assert!(report[quantile].as_f64() > Some(0.0), "{quantile}");
    }
    assert_eq!(report["load"]["event_bytes"], 200);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "its data is still there");
}

#[test]
fn a_bench_at_a_fixed_rate_sends_what_it_was_told_and_nothing_goes_missing() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().to_str().unwrap();
    for (ids, compress, event_bytes) in
        [("uuid7", "gzip", 200), ("ulid", "zstd", 190), ("sequential", "none", 200), ("long", "zstd", 364)]
    {
        let load = ["--duration", "0.5", "--rate", "4000", "--connections", "2", "--batch-size", "10", "--json"];
        let shape = ["--ids", ids, "--compress", compress, "--scratch-dir", scratch];
        let report = run(&[&["bench"], &load[..], &shape[..]].concat()).json();
        let number = |field: &str| report[field].as_u64().unwrap();
        assert_eq!(number("requests") + number("unsent"), 200, "{report}");
        assert_eq!((number("errors"), number("conflicts")), (0, 0), "{report}");
        assert_eq!(number("stored"), number("distinct"), "{report}");
        assert_eq!(report["load"]["event_bytes"], event_bytes, "{report}");
    }
}

/// Even after SIGKILL, which leaves the bench no time to stop its server.
#[cfg(target_os = "linux")]
#[test]
fn a_bench_that_is_killed_leaves_no_server_behind() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().to_str().unwrap();
    let mut bench = command(&["bench", "--duration", "600", "--scratch-dir", scratch]).spawn().unwrap();
    let server = eventually("the server", || child_of(bench.id()));
    bench.kill().unwrap();
    bench.wait().unwrap();
    // Its parent may not have collected it yet.
    eventually("its end", || matches!(process(server), None | Some((_, 'Z'))).then_some(()));
}

/// The parent and the state of a process, if there is one.
#[cfg(target_os = "linux")]
fn process(id: u32) -> Option<(u32, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

#[cfg(target_os = "linux")]
fn child_of(parent: u32) -> Option<u32> {
    let ids = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.into_iter().find(|id| process(*id).is_some_and(|(of, _)| of == parent))
}

#[cfg(target_os = "linux")]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_store_of_a_newer_version_and_a_damaged_one_have_codes_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let serve =
        || run(&["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir", dir.path().to_str().unwrap()]);
    Served::start(dir.path()).kill();
    let meta = dir.path().join("store.toml");
    let text = std::fs::read_to_string(&meta).unwrap();
    for (changed, code) in [(text.replace("format = 1", "format = 999"), 7), ("nonsense".to_owned(), 8)] {
        std::fs::write(&meta, changed).unwrap();
        let result = serve();
        assert_eq!((result.code, result.stderr.lines().count()), (Some(code), 1), "{result:?}");
        assert!(result.stderr.contains("store.toml"), "{result:?}");
    }
    std::fs::write(&meta, text).unwrap();
    assert_eq!(
        run(&["demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()]).code,
        Some(0)
    );
}
