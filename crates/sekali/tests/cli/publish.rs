//! `sekali publish` against servers that respond, fail, stall and vanish.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{command, run, run_with_input};
use crate::scripted::{Asked, Reply, Scripted};
use crate::served::Served;

fn overloaded(retry_after: &str) -> Reply {
    let body = json!({"code": "overloaded", "message": "too many requests wait"}).to_string();
    Reply::Full(503, vec![("retry-after", retry_after.to_owned())], body)
}

fn sizes(asked: &[Asked]) -> Vec<usize> {
    asked.iter().map(|asked| serde_json::from_str::<Vec<Value>>(&asked.body).unwrap().len()).collect()
}

#[test]
fn a_run_accounts_for_every_event() {
    let server = Scripted::start(|_, asked| Reply::all_stored(&asked.body));
    let arguments = ["publish", "--url", &server.url, "--count", "1050", "--batch-size", "200", "--json"];
    let answer = run(&arguments).json();
    for (field, value) in [("received", 1050), ("stored", 1050), ("duplicates", 0), ("requests", 6), ("retries", 0)] {
        assert_eq!(answer[field], value, "{field}");
    }
    assert_eq!(answer["reconciled"], true);
    let mut sizes = sizes(&server.asked());
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 200, 200, 200, 200, 200]);
}

#[test]
fn retry_after_is_honoured() {
    let server = Scripted::start(|number, asked| match number {
        0 => overloaded("1"),
        _ => Reply::all_stored(&asked.body),
    });
    let answer = run(&["publish", "--url", &server.url, "--count", "10", "--json"]).json();
    assert_eq!(answer["retries"], 1);
    assert_eq!(answer["received"], 10);
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(1), "{:?}", asked[1].at - asked[0].at);
    assert_eq!(asked[0].body, asked[1].body);
}

#[test]
fn a_broken_connection_is_retried_with_the_same_events() {
    let server = Scripted::start(|number, asked| match number {
        0 | 1 => Reply::Break,
        _ => Reply::all_stored(&asked.body),
    });
    let answer = run(&["publish", "--url", &server.url, "--count", "10", "--json"]).json();
    assert_eq!(answer["retries"], 2);
    let asked = server.asked();
    assert!(asked.iter().all(|again| again.body == asked[0].body));
}

#[test]
fn a_refusal_is_not_retried_and_names_file_and_line() {
    let server = Scripted::start(|_, _| {
        let errors = json!([{"index": 1, "field": "timestamp", "reason": "not a timestamp\u{1b}[31m"}]);
        Reply::Json(422, json!({"code": "invalid_event", "message": "1 of 3 events is not valid", "errors": errors}))
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.ndjson");
    std::fs::write(&path, "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}\n").unwrap();
    let result = run(&["publish", "--quiet", "--url", &server.url, path.to_str().unwrap()]);
    assert_eq!(result.code, Some(4));
    assert_eq!(server.asked().len(), 1);
    let stderr = result.stderr.replace(&dir.path().display().to_string(), "DIR");
    expect_test::expect![[r#"
        DIR/events.ndjson:3: timestamp: not a timestamp\u001b[31m
        sekali: the server refused the request: 1 of 3 events is not valid; nothing of this request is stored: mend it and run again, or use --skip-invalid
    "#]].assert_eq(&stderr);
}

#[test]
fn invalid_events_are_skipped_only_on_request() {
    let server = Scripted::start(|_, _| {
        let errors = json!([{"index": 0, "field": "topic", "reason": "missing"}]);
        let counts = json!({"message": "ok", "received": 1, "stored": 1, "duplicates": 0, "conflicts": 0, "invalid": 1, "errors": errors});
        Reply::Json(202, counts)
    });
    let input = "{\"a\":1}\nnonsense\n{\"a\":2}\n";
    let skipped = run_with_input(&["publish", "--url", &server.url, "--skip-invalid", "--json", "-q"], input);
    assert_eq!(server.asked()[0].line, "POST /publish?invalid=skip");
    expect_test::expect![[r#"
        skipped stdin:2: not JSON: it begins with "nonsense"
        skipped stdin:1: topic: missing
    "#]]
    .assert_eq(&skipped.stderr);
    let answer = skipped.json();
    assert_eq!((&answer["received"], &answer["invalid"]), (&json!(1), &json!(2)));
    assert_eq!(answer["reconciled"], true);
}

#[test]
fn patience_ends_with_a_code_of_its_own() {
    let server = Scripted::start(|_, _| overloaded("1"));
    let result = run(&["publish", "--url", &server.url, "--count", "10", "--retry-for", "2", "--quiet"]);
    assert_eq!(result.code, Some(3), "{result:?}");
    let why = ", since the server asks for 1 s more and --retry-for allows 2 s in all: http";
    assert!(result.stderr.contains("sekali: gave up after 1.") && result.stderr.contains(why), "{result:?}");
    assert_eq!(result.stdout, "", "nothing was answered");
    assert!(result.stderr.contains("safe to run the same command again"), "{result:?}");
}

#[test]
fn a_server_that_is_not_there_is_waited_for_and_then_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let result = run(&["publish", "--url", &url, "--count", "10", "--wait", "1"]);
    assert_eq!(result.code, Some(3));
    let stderr = result.stderr.replace(&url, "URL");
    expect_test::expect![[r#"
        waiting up to 1 s for the server: cannot reach URL: Connection refused (os error 111)
        sekali: cannot reach URL: Connection refused (os error 111); start the server with 'sekali serve', or name another with --url
    "#]].assert_eq(&stderr);
}

#[test]
fn counts_that_do_not_add_up_are_an_error() {
    let server = Scripted::start(|_, _| {
        Reply::Json(202, json!({"message": "ok", "received": 10, "stored": 9, "duplicates": 0, "conflicts": 0}))
    });
    let result = run(&["publish", "--url", &server.url, "--count", "10"]);
    assert_eq!(result.code, Some(1));
    assert!(result.stdout.contains("NOT reconciled"), "{result:?}");
}

#[test]
fn an_interrupted_run_says_that_it_can_be_repeated() {
    let server = Scripted::start(|_, asked| {
        std::thread::sleep(Duration::from_millis(20));
        Reply::all_stored(&asked.body)
    });
    let arguments = ["publish", "--url", &server.url, "--count", "100000", "--batch-size", "10", "--rate", "500"];
    let child = command(&arguments).spawn().unwrap();
    while server.asked().len() < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let result = crate::process::Run::from(child.wait_with_output().unwrap());
    assert_eq!(result.code, Some(130), "{result:?}");
    assert!(result.stderr.ends_with("sekali: stopped early; it is safe to run the same command again\n"), "{result:?}");
    assert!(result.stdout.contains("not complete: this is what was answered; it adds up"), "{result:?}");
    assert!(!result.stdout.contains("reconciled"), "{result:?}");
}

#[test]
fn every_bad_row_of_a_batch_is_named_at_once_and_nothing_of_it_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let served = crate::served::Served::start(&dir.path().join("data"));
    let path = dir.path().join("bad.csv");
    let rows = "t,1,2025-01-01,s,{}\nt,2,soon,s,{}\nt,3,2025-01-01,s,notjson\n,4,2025-01-01,s,{}\nt,5,2025-01-01,s,\n";
    std::fs::write(&path, format!("topic,event_id,timestamp,source,payload\n{rows}")).unwrap();
    let result = run(&["publish", "--quiet", "--url", &served.url, path.to_str().unwrap()]);
    assert_eq!((result.code, result.stdout.as_str()), (Some(4), ""), "{result:?}");
    let stderr = result.stderr.replace(&dir.path().display().to_string(), "DIR");
    expect_test::expect![[r#"
        DIR/bad.csv:3: timestamp: must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits
        DIR/bad.csv:4: payload is not JSON: it begins with "notjson"
        DIR/bad.csv:5: topic: must not be empty
        DIR/bad.csv:6: payload is not JSON: it is empty
        sekali: the server refused the request: 4 events are not valid, nothing was stored; nothing of this request is stored: mend it and run again, or use --skip-invalid
    "#]].assert_eq(&stderr);
    assert_eq!(run(&["events", "--url", &served.url]).stdout, "");
}

#[test]
fn bad_rows_behind_the_first_request_are_named_too() {
    let dir = tempfile::tempdir().unwrap();
    let served = crate::served::Served::start(&dir.path().join("data"));
    let line = |number: usize| match number {
        7 | 1_507 => "nonsense\n".to_owned(),
        time if time % 100 == 8 => {
            format!("{{\"topic\":\"t\",\"event_id\":\"{time}\",\"timestamp\":0,\"source\":\"s\",\"payload\":{{}}}}\n")
        }
        _ => format!(
            "{}\n",
            json!({"topic": "t", "event_id": number.to_string(), "timestamp": "2025-01-01", "source": "s", "payload": {}})
        ),
    };
    let path = dir.path().join("bad.ndjson");
    std::fs::write(&path, (1..=3_000).map(line).collect::<String>()).unwrap();
    let result = run(&["publish", "--quiet", "--concurrency", "1", "--url", &served.url, path.to_str().unwrap()]);
    assert_eq!(result.code, Some(4), "{result:?}");
    let named = result.stderr.lines().filter_map(|line| line.split_once("bad.ndjson:")?.1.split_once(": "));
    let lines: Vec<usize> = named.map(|(line, _)| line.parse().unwrap()).collect();
    // Those of the refused request, and then all others.
    let times = (0..30).map(|hundred| hundred * 100 + 8);
    let mut bad: Vec<usize> = times.chain([7, 1_507]).collect();
    bad.sort_unstable();
    assert_eq!(lines, bad[..20], "{result:?}");
    assert!(result.stderr.contains("and 12 more\n"), "{result:?}");
    assert!(result.stderr.contains("bad.ndjson:1507: not JSON"), "{result:?}");
}

#[test]
fn every_format_arrives_as_the_same_events() {
    let server = Scripted::start(|_, asked| Reply::all_stored(&asked.body));
    let dir = tempfile::tempdir().unwrap();
    let event = |id: u32| json!({"topic": "t", "event_id": id.to_string(), "timestamp": "2025-01-01T00:00:00Z", "source": "s", "payload": {"id": id}});
    let events: Vec<Value> = (1..=3).map(event).collect();
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let rows: String = (1..=3).map(|id| format!("t,{id},2025-01-01T00:00:00Z,s,\"{{\"\"id\"\":{id}}}\"\n")).collect();
    let files = [
        ("a.ndjson", lines.join("\n")),
        ("a.json", serde_json::to_string_pretty(&events).unwrap()),
        ("wrapped.json", json!({"events": events}).to_string()),
        ("a.csv", format!("topic,event_id,timestamp,source,payload\n{rows}")),
        ("no-ending", serde_json::to_string(&events).unwrap()),
    ];
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        run(&["publish", "--url", &server.url, path.to_str().unwrap(), "--json"]).json();
        let asked = server.asked().pop().unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&asked.body).unwrap(), events, "{name}");
    }
}

#[test]
fn unknown_formats_and_missing_files_are_named_before_anything_is_sent() {
    let server = Scripted::start(|_, asked| Reply::all_stored(&asked.body));
    let result = run_with_input(&["publish", "--url", &server.url], "hello\n");
    assert_eq!((result.code, result.stdout.as_str()), (Some(4), ""));
    assert!(
        result.stderr.contains("cannot tell the format of stdin: say --format ndjson, json, csv, sqlite or parquet"),
        "{result:?}"
    );
    let result = run(&["publish", "--url", &server.url, "/nonexistent.csv"]);
    assert_eq!(result.code, Some(1));
    assert!(result.stderr.contains("cannot read /nonexistent.csv"), "{result:?}");
    assert!(server.asked().is_empty());
}

#[test]
fn events_from_a_live_pipe_do_not_wait_for_their_batch_to_fill() {
    let server = Scripted::start(|_, asked| Reply::all_stored(&asked.body));
    let mut child = command(&["publish", "--url", &server.url, "--json"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for sent in 1..=2 {
        stdin.write_all(b"{\"a\":1}\n").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.asked().len() < sent {
            assert!(Instant::now() < deadline, "event {sent} is held back");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    drop(stdin);
    assert_eq!(crate::process::Run::from(child.wait_with_output().unwrap()).json()["received"], 2);
}

#[test]
fn a_server_that_speaks_tls_or_does_not_is_told_from_one_that_is_away() {
    // Answers whatever it hears with these bytes.
    fn answers(bytes: &'static [u8]) -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
                let _ = stream.write_all(bytes);
            }
        });
        port
    }
    // What a TLS server says to plain text: an alert.
    let tls = answers(b"\x15\x03\x03\x00\x02\x02\x46");
    let plain = answers(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let nginx = answers(
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 73\r\n\r\n<html><h1>400</h1>The plain HTTP request was sent to HTTPS port</html>    \n",
    );
    for (url, hint) in [
        (format!("http://127.0.0.1:{tls}"), format!("try https://127.0.0.1:{tls}")),
        (format!("https://127.0.0.1:{plain}"), format!("does not speak TLS: try http://127.0.0.1:{plain}")),
        (format!("http://127.0.0.1:{nginx}"), "try an address that begins with https://".to_owned()),
    ] {
        let result = run(&["stats", "--url", &url]);
        assert!(result.stderr.contains(&hint), "{url}: {result:?}");
    }
}

#[test]
fn a_proxy_that_limits_bodies_is_named() {
    let server =
        Scripted::start(|_, _| Reply::Full(413, vec![], "<html>413 Request Entity Too Large</html>".to_owned()));
    let result = run(&["publish", "--quiet", "--url", &server.url, "--count", "10"]);
    assert_eq!(result.code, Some(4), "{result:?}");
    assert!(result.stderr.contains("client_max_body_size 32m") && result.stderr.contains("--batch-size"), "{result:?}");
}

#[test]
fn commands_that_read_say_at_once_that_the_server_is_away() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    for command in ["stats", "count"] {
        let result = run(&[command, "--url", &url]);
        assert_eq!(result.code, Some(3), "{result:?}");
        assert!(
            result.stderr.ends_with("start the server with 'sekali serve', or name another with --url\n"),
            "{result:?}"
        );
    }
    for arguments in [&["events"][..], &["export"]] {
        let mut child = command(&[arguments, &["--url", &url]].concat()).spawn().unwrap();
        let mut line = String::new();
        let stderr = child.stderr.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut line).unwrap();
        assert!(line.starts_with("waiting up to 30 s for the server: cannot reach "), "{line}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_file_of_lines_is_stored_once_however_often_it_is_sent_grown_or_renamed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Served::start(&dir.path().join("data"));
    let (log, rotated) = (dir.path().join("app.log"), dir.path().join("app.log.1"));
    let publish = |path: &std::path::Path| {
        let path = path.to_str().unwrap();
        let answer = run(&["publish", "--url", &server.url, "--lines", path, "--topic", "app", "--json"]).json();
        (answer["stored"].as_u64().unwrap(), answer["duplicates"].as_u64().unwrap())
    };
    let begun = "2025-10-24 21:00:00,500 start\nsame\nsame\n\n  at \"x\"\nlast";
    std::fs::write(&log, begun).unwrap();
    assert_eq!(publish(&log), (5, 0), "equal lines are several");
    assert_eq!(publish(&log), (0, 5));
    std::fs::write(&log, format!("{begun}\nmore\n")).unwrap();
    assert_eq!(publish(&log), (1, 5));
    std::fs::rename(&log, &rotated).unwrap();
    assert_eq!(publish(&rotated), (0, 6));
    std::fs::write(&log, "other start\nsame\n").unwrap();
    assert_eq!(publish(&log), (2, 0));
    let first = run(&["events", "--url", &server.url, "--json", "--limit", "1"]).stdout;
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!((&first["timestamp"], &first["source"]), (&json!("2025-10-24T21:00:00.5Z"), &json!("")));
    assert_eq!(first["payload"], json!({"message": "2025-10-24 21:00:00,500 start"}));
}

#[test]
fn the_journal_is_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Served::start(dir.path());
    let entry = |cursor: &str| {
        let micros = "1761339600000001";
        json!({"__CURSOR": cursor, "__REALTIME_TIMESTAMP": micros, "_HOSTNAME": "a", "SYSLOG_IDENTIFIER": "sshd", "MESSAGE": "x"})
    };
    let journal = format!("{}\n{}\n", entry("s=1;i=1"), entry("s=1;i=2"));
    for (stored, duplicates) in [(2, 0), (0, 2)] {
        let answer = run_with_input(&["publish", "--url", &server.url, "--journal", "--json"], &journal).json();
        assert_eq!((&answer["stored"], &answer["duplicates"]), (&json!(stored), &json!(duplicates)));
    }
    let stored = run(&["events", "--url", &server.url, "--json", "--topic", "sshd"]).stdout;
    let first: Value = serde_json::from_str(stored.lines().next().unwrap()).unwrap();
    assert_eq!((&first["event_id"], &first["source"]), (&json!("s=1;i=1"), &json!("a")));
    assert_eq!(first["timestamp"], "2025-10-24T21:00:00.000001Z");
    let wrong = run_with_input(&["publish", "--url", &server.url, "--journal"], "{\"MESSAGE\":\"x\"}\n");
    assert!(wrong.code != Some(0) && wrong.stderr.contains("__CURSOR"), "{wrong:?}");
}

#[test]
fn records_of_any_shape_are_stored_once_by_the_ids_that_they_have() {
    let dir = tempfile::tempdir().unwrap();
    let server = Served::start(&dir.path().join("data"));
    let publish = |command: &str, name: &str, text: &str, options: &[&str]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let before = [command, "--url", &server.url, "--json", "--map", path.to_str().unwrap()];
        let answer = run(&[&before[..], options].concat()).json();
        (answer["stored"].as_u64().unwrap(), answer["duplicates"].as_u64().unwrap())
    };
    let trail = r#"{"Records":[{"eventID":"1","eventTime":"2025-10-24T21:00:00Z","who":{"name":"a"}},
        {"eventID":"2","eventTime":1761339600000,"who":{"name":"b"}}]}"#;
    let options =
        ["--records", "Records", "--topic", "trail.{/who/name}", "--id", "eventID", "--timestamp", "eventTime"];
    assert_eq!(publish("publish", "trail.json", trail, &options), (2, 0));
    assert_eq!(publish("import", "other.json", trail, &options), (0, 2));
    let stored = run(&["events", "--url", &server.url, "--json", "--topic", "trail.b"]).stdout;
    let stored: Value = serde_json::from_str(stored.lines().next().unwrap()).unwrap();
    assert_eq!((&stored["event_id"], &stored["timestamp"]), (&json!("2"), &json!("2025-10-24T21:00:00Z")));
    assert_eq!(stored["payload"], json!({"eventID": "2", "eventTime": 1_761_339_600_000_u64, "who": {"name": "b"}}));

    let rows = "order,total\n1,2.50\n2,3\n";
    assert_eq!(publish("publish", "orders.csv", rows, &["--topic", "orders", "--id", "order"]), (2, 0));
    assert_eq!(
        publish("import", "orders.csv", &format!("{rows}3,4\n"), &["--topic", "orders", "--id", "order"]),
        (1, 2)
    );
    // Without an id of their own equal records are several, and known when the file comes again.
    let lines = "{\"n\":1}\n{\"n\":1}\n";
    assert_eq!(publish("publish", "n.ndjson", lines, &["--topic", "n"]), (2, 0));
    assert_eq!(publish("publish", "m.ndjson", &format!("{lines}{{\"n\":2}}\n"), &["--topic", "n"]), (1, 2));
}

#[test]
fn a_record_without_the_id_that_was_named_stops_publishing_and_is_passed_over_by_an_import() {
    let dir = tempfile::tempdir().unwrap();
    let server = Served::start(dir.path());
    let records = "{\"id\":1}\n{\"x\":2}\n{\"id\":3}\n";
    let with = |command: &str| {
        let arguments =
            [command, "--url", &server.url, "--map", "--topic", "t", "--id", "id", "-", "--format", "ndjson"];
        run_with_input(&arguments, records)
    };
    let stopped = with("publish");
    assert_eq!(stopped.code, Some(4), "{stopped:?}");
    assert!(stopped.stderr.contains("stdin:2: has no id at id"), "{stopped:?}");
    let passed = with("import");
    assert!(passed.code == Some(4) && passed.stderr.contains("stdin:2: has no id at id"), "{passed:?}");
    assert_eq!(run(&["stats", "--json", "--url", &server.url]).json()["unique_processed"], 2);
}

#[test]
fn options_of_lines_do_not_mix_with_others() {
    for arguments in [
        &["--lines", "x"][..],
        &["--lines", "--journal", "--topic", "t"],
        &["--topic", "t", "x"],
        &["--map", "x"],
        &["--map", "--lines", "--topic", "t"],
        &["--map", "--topic", "t{", "x"],
        &["--map", "--topic", "t", "--id", "a,", "x"],
        &["--id", "a", "x"],
        &["--map", "--topic", "t", "--count", "1"],
    ] {
        let run = run(&[&["publish"][..], arguments].concat());
        assert_eq!(run.code, Some(2), "{arguments:?} {}", run.stderr);
    }
}
