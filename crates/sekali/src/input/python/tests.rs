use proptest::prelude::*;
use serde_json::Value;

use super::to_json;

#[test]
fn what_repr_writes_becomes_json() {
    let cases = [
        ("{}", "{}"),
        ("{'a': 1, 'b': None, 'c': True, 'd': False}", r#"{"a":1,"b":null,"c":true,"d":false}"#),
        (r#"{'d': 'it\'s "so"', "e": "x'y"}"#, r#"{"d":"it's \"so\"","e":"x'y"}"#),
        ("{'n': [1, 2.5, (1, 2), (), (3,), [], (4)]}", r#"{"n":[1,2.5,[1,2],[],[3],[],4]}"#),
        (
            r"{'s': 'a\\b\n\t\x00\x1f\xe9\u200b\U0001f600é😀'}",
            "{\"s\":\"a\\\\b\\u000a\\u0009\\u0000\\u001fé\u{200b}😀é😀\"}",
        ),
        ("{'big': 123456789012345678901234567890, 'z': -0.0}", r#"{"big":123456789012345678901234567890,"z":-0.0}"#),
        (
            "{'f': 1e+16, 'g': 1e-07, 'h': 1.7976931348623157e+308}",
            r#"{"f":1e+16,"g":1e-07,"h":1.7976931348623157e+308}"#,
        ),
        (r"{'half': '\ud83d'}", r#"{"half":"\ud83d"}"#),
        (" { 'a' : [ 1 , 2 , ] , } ", r#"{"a":[1,2]}"#),
        (r"['\101\7']", r#"["A\u0007"]"#),
        ("''", r#""""#),
    ];
    for (python, json) in cases {
        assert_eq!(to_json(python).as_deref(), Ok(json), "{python}");
    }
}

#[test]
fn what_json_cannot_say_is_refused_by_name() {
    let literals = [
        "{'x': inf}",
        "{'x': -inf}",
        "{'x': nan}",
        "{'x': 1e400}",
        "{'x': 1j}",
        "{'x': 007}",
        "{'x': b'raw'}",
        "{'x': {'a', 'b'}}",
        "{'x': {1, 2}}",
        "{1: 'x'}",
        "{'x': datetime.datetime(2025, 1, 1, 0, 0)}",
        "{'x': <object object at 0x7f>}",
        "{'x': [...]}",
        "{'x': 'y'",
        "{'x': 'y",
        "{'x' 'y'}",
        "{'x': 1 2}",
        "{'x': 1,, 'y': 2}",
        r"{'x': '\q'}",
        r"{'x': '\u12'}",
        r"{'x': '\U00110000'}",
        r"{'x': '\u+123'}",
        "{'é': 1} more",
        "'''x'''",
        "",
        "hello",
    ];
    let reasons: Vec<String> = literals
        .iter()
        .map(|literal| format!("{literal:<45} {}", to_json(literal).expect_err(literal)).trim_start().to_owned())
        .collect();
    expect_test::expect![[r#"
        {'x': inf}                                    inf is nothing that JSON has (at character 7)
        {'x': -inf}                                   -inf is not a number that JSON has (at character 7)
        {'x': nan}                                    nan is nothing that JSON has (at character 7)
        {'x': 1e400}                                  1e400 is infinite, which JSON does not have (at character 7)
        {'x': 1j}                                     1j is not a number that JSON has (at character 7)
        {'x': 007}                                    007 is not a number that JSON has (at character 7)
        {'x': b'raw'}                                 bytes, which JSON does not have (at character 7)
        {'x': {'a', 'b'}}                             a set, which JSON does not have (at character 7)
        {'x': {1, 2}}                                 the key of a dict must be text (at character 8)
        {1: 'x'}                                      the key of a dict must be text (at character 2)
        {'x': datetime.datetime(2025, 1, 1, 0, 0)}    datetime is nothing that JSON has (at character 7)
        {'x': <object object at 0x7f>}                unexpected '<' (at character 7)
        {'x': [...]}                                  unexpected '.' (at character 8)
        {'x': 'y'                                     expected , or } in the dict (at character 10)
        {'x': 'y                                      text without a closing quote (at character 7)
        {'x' 'y'}                                     expected : behind the key (at character 6)
        {'x': 1 2}                                    expected , or } in the dict (at character 9)
        {'x': 1,, 'y': 2}                             the key of a dict must be text (at character 9)
        {'x': '\q'}                                   unknown escape \q (at character 8)
        {'x': '\u12'}                                 an escape without a character (at character 8)
        {'x': '\U00110000'}                           an escape without a character (at character 8)
        {'x': '\u+123'}                               an escape without a character (at character 8)
        {'é': 1} more                                 expected nothing more (at character 10)
        '''x'''                                       text in triple quotes, which repr never writes (at character 1)
        the text ends where a value should be (at character 1)
        hello                                         hello is nothing that JSON has (at character 1)"#]]
    .assert_eq(&reasons.join("\n"));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(to_json(&nested(64)).is_ok());
    assert_eq!(to_json(&nested(65)).unwrap_err(), "nested deeper than 64");
    assert_eq!(to_json(&"(".repeat(1_000_000)).unwrap_err(), "nested deeper than 64");
}

/// Each line has what Python's `repr` and `json.dumps` make of the same value.
#[test]
fn python_itself_agrees() {
    #[derive(serde::Deserialize)]
    struct Case {
        repr: String,
        json: String,
    }
    let fixture = include_str!("../../../tests/fixtures/python-reprs.ndjson");
    let mut cases = 0;
    for line in fixture.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let converted = to_json(&case.repr).unwrap_or_else(|error| panic!("{error}: {}", case.repr));
        let [found, expected] = [&converted, &case.json]
            .map(|json| serde_json::from_str::<Value>(json).unwrap_or_else(|error| panic!("{error}: {json}")));
        assert_eq!(found, expected, "{}", case.repr);
        cases += 1;
    }
    assert!(cases >= 200, "{cases}");
}

/// `repr`, as far as these tests need it. Which quote it chooses depends on the text, as in Python.
fn repr(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(repr).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => repr_text(text),
        Value::Array(values) if values.len() == 1 => format!("({},)", list(values)),
        Value::Array(values) if values.len() % 2 == 0 => format!("({})", list(values)),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("{}: {}", repr_text(name), repr(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for character in text.chars() {
        match character {
            '\n' => written.push_str("\\n"),
            '\\' => written.push_str("\\\\"),
            _ if character == quote => written.extend(['\\', quote]),
            '\0'..='\u{ff}' if character.is_control() => written.push_str(&format!("\\x{:02x}", u32::from(character))),
            '\u{100}'..='\u{ffff}' if character > '\u{2000}' => {
                written.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            '\u{10000}'.. if u32::from(character) % 2 == 0 => {
                written.push_str(&format!("\\U{:08x}", u32::from(character)));
            }
            _ => written.push(character),
        }
    }
    written.push(quote);
    written
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z'\"\\\\]{0,6}", any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(text.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in values()) {
        let json = to_json(&repr(&value)).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }

    #[test]
    fn no_text_panics_and_what_is_converted_is_json(text in "[\\[\\](){}'\"\\\\bxuUN0-9.eE+:, \n_TrueNonéinf-]{0,24}") {
        if let Ok(json) = to_json(&text) {
            let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&json);
            prop_assert!(parsed.is_ok(), "{} from {}", json, text);
        }
    }
}
