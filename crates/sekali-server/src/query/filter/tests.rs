use proptest::prelude::*;

use super::*;
use crate::query::EventQuery;
use crate::query::test_event::test_event;

fn query(text: &str) -> Result<EventQuery, WrongFilter> {
    EventQuery::parse(text.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))), 0)
}

#[track_caller]
fn check(payload: &str, matching: &[&str], others: &[&str]) {
    let event = test_event(payload);
    for text in matching {
        assert!(query(text).unwrap().matches(&event.view()), "{text} should match");
    }
    for text in others {
        assert!(!query(text).unwrap().matches(&event.view()), "{text} should not match");
    }
}

#[test]
fn values_of_one_parameter_are_alternatives_and_parameters_must_all_hold() {
    check(
        r#"{"status":500,"path":"/api"}"#,
        &[
            "payload.status=404&payload.status=500",
            "topic=db&topic=web.access",
            "topic=web.*&source=host-07&source=x",
            "event_id=b&event_id=a-1",
            "payload.status=500&payload.path=/api",
            "q=nothing&q=api",
        ],
        &[
            "payload.status=404&payload.status=403",
            "topic=db&topic=web",
            "topic=db.*",
            "payload.status=500&payload.path=/",
            "source=host-07&event_id=b",
        ],
    );
}

#[test]
fn excluded_values_leave_events_without_the_member() {
    check(
        r#"{"status":500,"tags":["a"]}"#,
        &[
            "not.payload.status=404",
            "not.payload.other=500",
            "not.payload.tags=a",
            "not.source=x&not.source=y",
            "not.topic=db.*",
            "not.q=missing",
            "not.has=other",
            "not.event_id=a",
        ],
        &[
            "not.payload.status=404&not.payload.status=500",
            "not.payload.status=500.0",
            "not.source=host-07",
            "not.topic=web.*",
            "not.q=STATUS",
            "not.has=payload.status",
            "not.event_id=a-1",
        ],
    );
}

#[test]
fn ranges_compare_numbers_exactly_and_half_open() {
    check(
        r#"{"ms":100,"text":"1e2","big":9007199254740993,"list":[5],"word":"ten"}"#,
        &[
            "min.payload.ms=100",
            "below.payload.ms=100.00000000000000000001",
            "min.payload.ms=1e1&below.payload.ms=1e3",
            "min.payload.text=99.9",
            "min.payload.big=9007199254740993",
            "min.payload.list.0=5",
        ],
        &[
            "below.payload.ms=100",
            "min.payload.ms=100.1",
            "below.payload.big=9007199254740993",
            "min.payload.word=0",
            "min.payload.list=0",
            "min.payload.missing=0",
        ],
    );
    for wrong in ["min.payload.ms=", "min.payload.ms=x", "below.payload.ms=0x10", "min.payload.ms=1&min.payload.ms=2"] {
        assert!(query(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn patterns_look_at_strings_numbers_and_literals() {
    check(
        r#"{"path":"/api/\u00e9","status":500,"ok":true,"none":null,"list":["a"]}"#,
        &[
            "match.payload.path=^/api/é$",
            "match.payload.status=^5..$",
            "match.payload.ok=^t",
            "match.payload.none=null",
            "match.payload.path=nothing&match.payload.path=API|api",
            "match.source=^host-[0-9]+$",
            "match.event_id=-1$",
        ],
        &["match.payload.path=^api", "match.payload.list=a", "match.payload.missing=.*", "match.source=^07"],
    );
    let long = format!("match.source={}", "a".repeat(1_025));
    for wrong in ["match.source=(", "match.source=a{1000}{1000}", "match.payload.a=\\w{9999}", &long] {
        assert!(query(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn places_that_must_be_there_may_hold_null() {
    check(
        r#"{"a":{"b":null}}"#,
        &["has=a.b", "has=payload.a.b", "has=x&has=a", "not.has=a.c"],
        &["has=a.c", "not.has=a", "not.has=x&not.has=a.b"],
    );
}

#[test]
fn a_missing_member_is_not_null() {
    check(r#"{"a":null}"#, &["payload.a=null"], &["payload.x=null"]);
}

#[test]
fn comparisons_in_the_style_of_other_systems_are_answered_with_the_word() {
    for (text, word) in [
        ("payload.status!=500", "not.payload.status"),
        ("payload.ms>=100", "min.payload.ms"),
        ("payload.ms<=100", "below.payload.ms"),
        ("payload.ms>100", "min.payload.ms"),
        ("payload.path=~^/api", ""),
        ("not.payload.a~=x", "match.payload.a"),
    ] {
        match query(text) {
            Ok(_) => assert_eq!(word, "", "{text}"),
            Err(wrong) => assert!(!word.is_empty() && wrong.reason.contains(word), "{text}: {}", wrong.reason),
        }
    }
}

#[test]
fn reserved_topics_are_read_one_at_a_time() {
    assert!(query("topic=$conflicts").unwrap().topics.contain("$conflicts"));
    assert!(!query("topic=*").unwrap().topics.contain("$conflicts"));
    for wrong in ["topic=$conflicts&topic=web", "topic=$*", "topic=$conflicts&not.topic=web"] {
        assert!(query(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn too_much_in_one_query_is_refused() {
    let many = |pair: &str, count: usize| vec![pair; count].join("&");
    assert!(query(&many("source=x", 256)).is_ok());
    assert!(query(&many("source=x", 257)).is_err());
    assert!(query(&many("match.source=x", 9)).is_err());
    assert!(query(&many("q=x", 17)).is_err());
    let places: Vec<_> = (0..17).map(|at| format!("payload.a{at}=1")).collect();
    assert!(query(&places[..16].join("&")).is_ok());
    assert!(query(&places.join("&")).is_err());
}

proptest! {
    #[test]
    fn damaged_payloads_neither_panic_nor_hang(
        tokens in proptest::collection::vec(
            proptest::sample::select(&["{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\\", "\\u00", "5", "-", "tru", " ", "\u{7f}"][..]),
            0..20,
        ),
    ) {
        let payload = tokens.concat();
        for path in ["a", "0", "a.0", "18446744073709551615"] {
            for parameter in ["payload.X=5", "not.payload.X=5", "min.payload.X=5", "match.payload.X=5", "has=X"] {
                query(&parameter.replace('X', path)).unwrap().matches(&test_event(&payload).view());
            }
        }
        TextSearch::new("A\"").is_in(payload.as_bytes());
    }
}
