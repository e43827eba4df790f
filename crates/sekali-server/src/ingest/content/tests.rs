use expect_test::expect;
use proptest::prelude::*;

use super::*;

/// As the engine compares payloads.
fn same_payload(stored: &[u8], incoming: &[u8]) -> bool {
    let forms = (json::canonical(stored), json::canonical(incoming));
    stored == incoming || (forms.0.is_some() && forms.0 == forms.1)
}

#[track_caller]
fn same(a: &str, b: &str) {
    assert!(same_payload(a.as_bytes(), b.as_bytes()), "{a} should equal {b}");
    assert!(same_payload(b.as_bytes(), a.as_bytes()), "{b} should equal {a}");
}

#[track_caller]
fn different(a: &str, b: &str) {
    assert!(!same_payload(a.as_bytes(), b.as_bytes()), "{a} should differ from {b}");
    assert!(!same_payload(b.as_bytes(), a.as_bytes()), "{b} should differ from {a}");
}

#[test]
fn order_and_white_space_do_not_matter() {
    same(r#"{"a":1,"b":[true,null,{}]}"#, "{ \"b\" : [ true , null,{ } ],\r\n\t\"a\":1 }");
    different(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#);
    different(r#"{"a":1}"#, r#"{"a":1,"b":null}"#);
}

#[test]
fn the_last_of_repeated_members_counts() {
    same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#);
    different(r#"{"a":1,"a":2}"#, r#"{"a":1}"#);
}

#[test]
fn kinds_are_kept_apart() {
    let kinds = ["0", "false", "null", r#""""#, "[]", "{}", r#""0""#];
    for (i, a) in kinds.iter().enumerate() {
        for b in &kinds[i + 1..] {
            different(a, b);
        }
    }
}

#[test]
fn member_names_private_to_the_parser_are_not_special() {
    different(r#"{"a":{"$serde_json::private::Number":"1"}}"#, r#"{"a":1}"#);
    different(r#"{"a":{"$serde_json::private::RawValue":"1"}}"#, r#"{"a":1}"#);
}

#[test]
fn escapes_are_spelling() {
    same(r#""\u0041\/\n\u00e9\ud83d\ude00""#, "\"A/\\u000aé😀\"");
    same(r#"{"\u0061":1}"#, r#"{"a":1}"#);
    different(r#""\\u0041""#, r#""A""#);
}

#[test]
fn half_surrogate_pairs_can_be_compared() {
    same(r#"{"a":"\ud83d", "b":1}"#, r#"{"b":1,"a":"\uD83D"}"#);
    different(r#""\ud83d""#, r#""\ude00""#);
    same(r#""\ud83d\u0041""#, r#""\uD83DA""#);
    different(r#""\ude00\ud83d""#, r#""\ud83d\ude00""#);
}

#[test]
fn numbers_are_compared_by_exact_value() {
    for one in ["1", "1.0", "1.00", "10e-1", "0.1e1", "1E0", "1e+0", "100e-2", "0.001e+3", "1e-0"] {
        same(one, "1");
    }
    for zero in ["0", "-0", "0.0", "0e5", "-0.00e-7", "0e999999999999999999999999999"] {
        same(zero, "0");
    }
    different("1", "-1");
    different("1", "10");
    different("9007199254740993", "9007199254740992");
    different("0.1", "0.1000000000000000055511151231257827");
    different("1e400", "1e401");
}

#[test]
fn huge_exponents_cost_nothing_and_are_exact() {
    same("1e999999999", "10e999999998");
    different("1e999999999", "1e999999998");
    same("10e99999999999999999999", "1e100000000000000000000");
    same("0.01e100000000000000000000", "1e99999999999999999998");
    same("100e-100000000000000000001", "1e-99999999999999999999");
    same("1e0000000000000000000000000000005", "1e5");
    different("1e99999999999999999999", "1e-99999999999999999999");
    different("1e99999999999999999999", "1e999999999999999999999");
    // On both sides of the border between the two ways exponents are kept.
    same("100e99999999999999999", "1e100000000000000001");
    same("0.01e100000000000000001", "1e99999999999999999");
    same("0.001e-99999999999999999", "1e-100000000000000002");
}

#[test]
fn what_cannot_be_read_equals_only_itself() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    same(&deep, &deep);
    different(&deep, &format!(" {deep}"));
    for broken in ["", "{", "[1,]", "{\"a\"}", "\"", "\"\\", "\"\\u12", "1e", "-", "tru", "1 2", "{\"a\":1"] {
        different(broken, "1");
    }
}

#[test]
fn evidence_names_the_event_and_what_is_stored_instead() {
    let payload = br#"{ "n": 1.50 }"#;
    let event = EventRef { topic: "a\"b", event_id: "é/1", timestamp_ns: 0, source: "s", payload };
    let text = String::from_utf8(evidence(&event, 7)).unwrap();
    expect![[r#"{"topic":"a\"b","event_id":"é/1","stored_seq":7,"payload":{ "n": 1.50 }}"#]].assert_eq(&text);
}

#[test]
fn evidence_of_the_largest_event_can_be_stored() {
    use sekali_store::limits::*;
    let (topic, event_id) = ("\"".repeat(TOPIC_BYTES_MAX), "\\".repeat(EVENT_ID_BYTES_MAX));
    let payload = vec![b' '; PAYLOAD_BYTES_MAX];
    let event = EventRef { topic: &topic, event_id: &event_id, timestamp_ns: 0, source: "", payload: &payload };
    assert!(evidence(&event, u64::MAX).len() <= STORED_PAYLOAD_BYTES_MAX);
}

/// A JSON value, in two spellings.
fn spellings() -> impl Strategy<Value = (String, String)> {
    let leaf = prop_oneof![
        prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(|text| (text.to_owned(), text.to_owned())),
        any::<(i64, u8)>().prop_map(|(number, zeros)| {
            let zeros = usize::from(zeros);
            (number.to_string(), format!("{number}{}e-{zeros}", "0".repeat(zeros)))
        }),
        any::<String>().prop_map(|text| (string(&text), escaped(&text))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|elements| {
                let (a, b): (Vec<_>, Vec<_>) = elements.into_iter().unzip();
                (format!("[{}]", a.join(",")), format!("[ {}\n]", b.join(" , ")))
            }),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|members| {
                let a: Vec<_> = members.iter().map(|(name, (a, _))| format!("{}:{a}", string(name))).collect();
                let b: Vec<_> = members.iter().rev().map(|(name, (_, b))| format!("{} :{b}", escaped(name))).collect();
                (format!("{{{}}}", a.join(",")), format!("{{\t{} }}", b.join(" ,")))
            }),
        ]
    })
}

fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn escaped(text: &str) -> String {
    let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{units}\"")
}

proptest! {
    #[test]
    fn spelling_does_not_matter((a, b) in spellings()) {
        prop_assert!(same_payload(a.as_bytes(), b.as_bytes()), "{} {}", a, b);
    }

    #[test]
    fn different_values_differ((a, _) in spellings(), (_, b) in spellings()) {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        // The second spelling of numbers is not the parser's, so only what it takes for equal is
        // certain.
        if parsed(&a) == parsed(&b) {
            prop_assert!(same_payload(a.as_bytes(), b.as_bytes()));
        } else if !b.contains("e-") {
            prop_assert!(!same_payload(a.as_bytes(), b.as_bytes()), "{} {}", a, b);
        }
    }

    #[test]
    fn moving_the_point_changes_nothing(digits in "[1-9][0-9]{0,20}", exponent: i32, places in 0_usize..50) {
        let moved = format!("{digits}{}e{}", "0".repeat(places), i64::from(exponent) - places as i64);
        let written = format!("{digits}e{exponent}");
        prop_assert!(same_payload(written.as_bytes(), moved.as_bytes()));
        let further = format!("{digits}e{}", i64::from(exponent) + 1);
        prop_assert!(!same_payload(further.as_bytes(), moved.as_bytes()));
    }

    #[test]
    fn no_bytes_panic(a: Vec<u8>, b in "[\\[\\]{}\",:0-9eE+.\\\\u-]{0,60}") {
        same_payload(&a, b.as_bytes());
    }
}
