//! Invalid filters.

use expect_test::expect;

use crate::server::{TestServer, event};

#[test]
fn a_wrong_filter_is_400_and_named() {
    let server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    let many = (0..17).map(|number| format!("payload.a{number}=1&")).collect::<String>();
    for (query, parameter) in [
        ("since=soon", "since"),
        ("since=", "since"),
        ("until=2025-13-01", "until"),
        ("until=2025-10-24T21:00:00.0123456789Z", "until"),
        ("since=1500-01-01", "since"),
        ("since=2025-10-25&until=2025-10-24", "until"),
        ("since=2025-10-24&since=2025-10-25", "since"),
        ("min.payload.a=1&min.payload.a=2", "min.payload.a"),
        ("min.payload.a=x", "min.payload.a"),
        ("max.payload.a=1", "max.payload.a"),
        ("match.source=(", "match.source"),
        ("not.has=", "not.has"),
        ("topic=$conflicts&topic=t", "topic"),
        ("payload.status%21=500", "payload.status!"),
        ("payload.ms%3E=100", "payload.ms>"),
        ("payload.ms%3E100", "payload.ms>100"),
        ("event_id=", "event_id"),
        ("q=", "q"),
        ("not.q=", "not.q"),
        ("payload=1", "payload"),
        ("payload.=1", "payload."),
        ("payload.a..b=1", "payload.a..b"),
        ("payload.a.=1", "payload.a."),
        ("payload.a%5Cb=1", "payload.a\\b"),
        ("payload.a=%22open", "payload.a"),
        ("payload.a=%22%5Cx%22", "payload.a"),
        ("payload.a=%FF", "payload.a"),
        (&many, "payload.<path>"),
        ("sinc=2025-10-24", "sinc"),
        ("group=topic", "group"),
    ] {
        for path in ["/events", "/events/count"] {
            let answer = server.get(&format!("{path}?{query}")).expect_error(400, "invalid_parameter");
            assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{query}");
        }
        let lines = server.request("GET", &format!("/events?{query}")).header("accept", "text/csv").send();
        lines.expect_error(400, "invalid_parameter");
    }
    for interval in ["", "1", "m", "0s", "1w", "-1m", "1.5h", "367d", "5%20m"] {
        let answer = server.get(&format!("/events/count?interval={interval}"));
        assert_eq!(answer.expect_error(400, "invalid_parameter").json()["errors"][0]["parameter"], "interval");
    }
}

#[test]
fn errors_say_what_is_allowed() {
    let server = TestServer::start();
    let expect = |path: &str, expected: expect_test::Expect| {
        let answer = server.get(path).expect_status(400).json();
        expected.assert_eq(answer["message"].as_str().unwrap());
    };
    expect(
        "/events?since=2025-10-24T21:00:00+07:00",
        expect![
            "parameter `since`: must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits; a `+` in a query is written %2B"
        ],
    );
    expect(
        "/events?payload.a..b=1",
        expect![[
            r#"parameter `payload.a..b`: must be names or indexes with single full stops between them, like user.addresses.0.city; a full stop inside a name is written `\.`"#
        ]],
    );
    expect(
        "/events?payload.status!=500",
        expect![[
            r#"parameter `payload.status!`: ends with `!`, which is no operator here: to leave a value out, write not.payload.status; if the member has that name, write `\!`"#
        ]],
    );
    expect(
        "/events?match.payload.a=(b",
        expect!["parameter `match.payload.a`: is not a regular expression: unclosed group"],
    );
    expect(
        "/events?payload.a=%225",
        expect![[r#"parameter `payload.a`: a value that begins with a quote must be a whole JSON string, like "5""#]],
    );
    expect(
        "/events?sources=a",
        expect![
            "parameter `sources`: unknown parameter; allowed: topic, not.topic, since, until, source, not.source, match.source, event_id, not.event_id, match.event_id, payload.<path>, not.payload.<path>, min.payload.<path>, below.payload.<path>, match.payload.<path>, has, not.has, q, not.q, order, limit, after, wait, columns, format, download"
        ],
    );
    expect(
        "/events/count?limit=1",
        expect![
            "parameter `limit`: unknown parameter; allowed: topic, not.topic, since, until, source, not.source, match.source, event_id, not.event_id, match.event_id, payload.<path>, not.payload.<path>, min.payload.<path>, below.payload.<path>, match.payload.<path>, has, not.has, q, not.q, by, top, interval, auto, within"
        ],
    );
    expect(
        "/events/count?interval=1w",
        expect!["parameter `interval`: must be a whole number with s, m, h or d, from 1s to 366d, like 5m"],
    );
    expect(
        "/events/count?interval=1s&since=2025-01-01&until=2025-02-01",
        expect![
            "parameter `interval`: divides the time asked for into more than 10000 intervals; 5m would fit, or a shorter time by `since` and `until`"
        ],
    );
}
