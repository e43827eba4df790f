//! `sekali events`, `stats` and `health`.

use std::process::Stdio;

use serde_json::json;

use crate::process::{command, run, run_with_input};
use crate::scripted::{Reply, Scripted};
use crate::served::Served;

#[test]
fn events_are_written_verbatim_and_pages_followed() {
    let server = Scripted::start(|number, _| match number {
        0 => {
            let body = "[{\"payload\":{\"n\":1.50, \"big\":123456789012345678901234567890}},\n {\"payload\":{\n\"b\":\"\u{1b}\u{202e}\"}}]";
            Reply::Full(200, vec![("x-next-cursor", "c2".to_owned())], body.replace('\u{1b}', "\\u001b"))
        }
        _ => Reply::Full(200, Vec::new(), "[{\"payload\":{}}]".to_owned()),
    });
    let result = run(&["events", "--url", &server.url, "--topic", "a b", "--order", "desc", "--limit", "5"]);
    assert_eq!(result.code, Some(0), "{result:?}");
    assert_eq!(
        result.stdout,
        "{\"payload\":{\"n\":1.50, \"big\":123456789012345678901234567890}}\n\
         {\"payload\":{ \"b\":\"\\u001b\u{202e}\"}}\n{\"payload\":{}}\n"
    );
    let lines: Vec<String> = server.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        lines,
        ["GET /events?limit=5&order=desc&topic=a+b", "GET /events?limit=3&order=desc&topic=a+b&after=c2"]
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let page = format!("[{}]", vec!["{\"payload\":{}}"; 1_000].join(","));
    let server =
        Scripted::start(move |number, _| Reply::Full(200, vec![("x-next-cursor", number.to_string())], page.clone()));
    let mut child = command(&["events", "--url", &server.url]).spawn().unwrap();
    let mut head = std::process::Command::new("head")
        .args(["-n", "1"])
        .stdin(child.stdout.take().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(head.wait().unwrap().success());
    let result = crate::process::Run::from(child.wait_with_output().unwrap());
    assert_eq!((result.code, result.stderr.as_str()), (Some(0), ""));
}

#[test]
fn stats_are_a_table_or_what_the_server_says() {
    let server = Scripted::start(|_, asked| match asked.line.as_str() {
        "GET /stats" => Reply::Json(
            200,
            json!({"received": 10, "unique_processed": 8, "duplicate_dropped": 2, "conflicts": 0,
                   "topics": ["demo"], "uptime_seconds": 5.25, "more": true}),
        ),
        _ => Reply::Json(
            200,
            json!([{"topic": "demo\u{7}", "events": 8, "bytes": 1600,
                    "first_timestamp": "2025-01-01T00:00:00Z", "last_timestamp": "2025-01-02T00:00:00Z"}]),
        ),
    });
    expect_test::expect![[r#"
        received                 10
        stored                    8  80.0%
        duplicates                2  20.0%
        conflicts                 0
        uptime                  5 s

        topic              events        size  first             last
        demo\u0007              8     1.6 KiB  2025-01-01 00:00  2025-01-02 00:00
    "#]]
    .assert_eq(&run(&["stats", "--url", &server.url]).stdout);
    assert_eq!(run(&["stats", "--url", &server.url, "--json"]).json()["more"], true);
}

#[test]
fn health_tells_containers_yes_or_no() {
    let server = Scripted::start(|_, _| Reply::Json(404, json!({})));
    let healthy = run(&["health", "--url", &server.url]);
    assert_eq!((healthy.code, healthy.stdout.as_str()), (Some(0), "ready\n"));
    let from_environment = command(&["health"]).env("SEKALI_URL", &server.url).output().unwrap();
    assert!(from_environment.status.success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let unhealthy = run(&["health", "--url", &format!("127.0.0.1:{port}")]);
    assert_eq!(unhealthy.code, Some(3));
    assert!(unhealthy.stderr.starts_with("sekali: cannot reach "), "{unhealthy:?}");
}

#[test]
fn something_else_at_the_address_is_recognised() {
    let server = Scripted::start(|_, _| Reply::Full(404, Vec::new(), "<html>not here</html>".to_owned()));
    let result = run(&["stats", "--url", &server.url]);
    assert_eq!(result.code, Some(4));
    expect_test::expect![[r#"
        sekali: the server refused the request: 404 Not Found, and not in Sekali's words: is this the right address?
    "#]]
    .assert_eq(&result.stderr);
    let server = Scripted::start(|_, _| Reply::Full(200, Vec::new(), "<html>hello</html>".to_owned()));
    assert_eq!(run(&["stats", "--url", &server.url]).code, Some(1));
}

#[test]
fn filters_are_sent_as_parameters() {
    let server = Scripted::start(|_, asked| match asked.line.contains("/count") {
        true => Reply::Json(200, json!({"count": 3})),
        false => Reply::Json(200, json!([])),
    });
    let filters = "--topic t --topic web.* --not-topic x --since 2025-10-24T04:00:00+07:00 --until 2025-10-25 \
                   --source s --source s2 --not-source s3 --event-id 1 --where a.b=\"5\" --where c==x --not-where d=1 \
                   --min ms=5 --below ms=1e3 --match path=^/a --has user.id --grep a&b";
    let filters: Vec<_> = filters.split_whitespace().collect();
    let run = |command| run(&[&[command, "--url", &server.url], &filters[..]].concat());
    assert_eq!(run("events").code, Some(0));
    assert_eq!(run("count").stdout, "3\n");
    let parameters = "topic=t&topic=web.*&not.topic=x&since=2025-10-23T21%3A00%3A00Z&until=2025-10-25T00%3A00%3A00Z\
                      &source=s&source=s2&not.source=s3&event_id=1&has=payload.user.id&q=a%26b\
                      &payload.a.b=%225%22&payload.c=%3Dx&not.payload.d=1&min.payload.ms=5&below.payload.ms=1e3\
                      &match.payload.path=%5E%2Fa";
    let lines: Vec<String> = server.asked().into_iter().map(|asked| asked.line).collect();
    let expected =
        [format!("GET /events?limit=1000&order=asc&{parameters}"), format!("GET /events/count?{parameters}")];
    assert_eq!(lines, expected);
}

#[test]
fn a_page_without_events_is_not_the_end() {
    let server = Scripted::start(|number, _| match number {
        0 => Reply::Full(200, vec![("x-next-cursor", "c2".to_owned())], "[]".to_owned()),
        _ => Reply::Full(200, Vec::new(), "[{\"payload\":{}}]".to_owned()),
    });
    assert_eq!(run(&["events", "--url", &server.url, "--source", "rare"]).stdout, "{\"payload\":{}}\n");
}

#[test]
fn csv_is_what_the_server_would_write() {
    let event = json!({"topic": "=a", "event_id": "1,2", "timestamp": "2025-10-24T21:00:00Z", "source": "-s",
                       "payload": {"x": "y"}, "seq": 7, "received_at": "2025-10-24T21:00:01Z"});
    let server = Scripted::start(move |_, _| Reply::Json(200, json!([event])));
    let result = run(&["events", "--url", &server.url, "--csv"]);
    expect_test::expect![[r#"
        topic,event_id,timestamp,source,payload,seq,received_at
        '=a,"1,2",2025-10-24T21:00:00Z,'-s,"{""x"":""y""}",7,2025-10-24T21:00:01Z
    "#]]
    .assert_eq(&result.stdout.replace("\r\n", "\n"));
}

#[test]
fn a_topic_without_events_is_named_with_those_that_have_some() {
    let server = Scripted::start(|_, asked| match asked.line.as_str() {
        "GET /topics" => Reply::Json(
            200,
            json!([{"topic": "web.access", "events": 1, "bytes": 1,
                                                  "first_timestamp": null, "last_timestamp": null}]),
        ),
        _ => Reply::Json(200, json!([])),
    });
    let result = run(&["events", "--url", &server.url, "--topic", "web"]);
    assert_eq!((result.code, result.stdout.as_str()), (Some(0), ""));
    assert_eq!(result.stderr, "no events of topic web; there are: web.access\n");
    assert_eq!(run(&["events", "--url", &server.url, "--topic", "web.access"]).stderr, "");
}

#[test]
fn one_event_in_a_wrong_year_does_not_break_a_count_by_the_hour() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let event = |id: &str, time: &str| {
        json!({"topic": "t", "event_id": id, "timestamp": time, "source": "s", "payload": {}}).to_string()
    };
    let times = ["1970-01-01T00:00:00Z", "2025-10-24T21:10:00Z", "2025-10-24T21:50:00Z", "2025-10-26T00:00:00Z"];
    let events: Vec<_> = times.iter().enumerate().map(|(id, time)| event(&id.to_string(), time)).collect();
    run_with_input(&["publish", "--url", &served.url, "--json"], &events.join("\n")).json();
    let counted = run(&["count", "--url", &served.url, "--interval", "1h"]);
    assert_eq!(counted.stderr, "the events are far apart: intervals without events are left out\n");
    expect_test::expect![[r#"
        1970-01-01T00:00:00Z               1 ████████████████████
                           …         489,260 intervals without events
        2025-10-24T21:00:00Z               2 ████████████████████████████████████████
                           …              26 intervals without events
        2025-10-26T00:00:00Z               1 ████████████████████
        4 events
    "#]]
    .assert_eq(&counted.stdout);
    let json = run(&["count", "--url", &served.url, "--interval", "1m", "--json"]).json();
    let starts: Vec<_> = json["buckets"].as_array().unwrap().iter().map(|bucket| &bucket["start"]).collect();
    assert_eq!(starts, times);
    assert_eq!(json["count"], 4);
}

#[test]
fn what_the_server_says_of_a_parameter_names_the_option() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    for (arguments, option) in [
        (["--where", "a..b=1"], "--where a..b: "),
        (["--grep", ""], "--grep: "),
        (["--match", "a=("], "--match a: "),
        (["--after", "nonsense"], "--after: "),
    ] {
        let result = run(&[&["events", "--url", &served.url][..], &arguments].concat());
        assert_eq!(result.code, Some(4), "{result:?}");
        assert!(result.stderr.starts_with(&format!("sekali: {option}")), "{result:?}");
    }
}

#[test]
fn a_condition_without_a_value_is_a_usage_error() {
    let result = run(&["events", "--where", "status"]);
    assert_eq!(result.code, Some(2));
    assert!(result.stderr.contains("write it like user.id=42"), "{result:?}");
}
