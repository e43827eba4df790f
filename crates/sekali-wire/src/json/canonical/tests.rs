use proptest::prelude::*;

use super::{canonical, tree};

/// Texts that are often equal, repeat members, and are sometimes no JSON.
fn texts() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => prop::sample::select(vec![
            "0", "-0", "0.0", "1", "1.0", "10e-1", "100", "1e2", "null", "true", "false", "\"\"", "\"a\"",
            "\"\\u0061\"", "\"\\ud83d\"", "\"\\uD83D\"", "\"\\ud83d\\ude00\"", "\"😀\"", "[]", "{}", " { } ",
            "1e99999999999999999", "10e99999999999999998", "1e100000000000000000", "0.1e100000000000000001",
            "-1e-100000000000000000", "1e-99999999999999999999", "10e-100000000000000000000", "9007199254740993",
        ]).prop_map(str::to_owned),
        1 => "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,20})?",
        1 => "[\\[\\]{}\",:0-9eE+.\\\\u-]{0,6}",
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop::sample::select(vec!["\"a\"", "\"\\u0061\"", "\"b\"", "\"ab\"", "\"\"", " \"\\ud800\" "]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
            prop::collection::vec((name, inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", members.join(" ,\t"))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn two_texts_have_one_form_exactly_if_they_mean_the_same(a in texts(), b in texts(), c in texts()) {
        for (a, b) in [(&a, &b), (&a, &c), (&b, &c), (&format!("[{a},{b}]"), &format!("[{a} ,{c}]"))] {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let (forms, values) = ((canonical(a), canonical(b)), (tree::parse(a), tree::parse(b)));
            prop_assert_eq!((forms.0.is_some(), forms.1.is_some()), (values.0.is_some(), values.1.is_some()));
            prop_assert_eq!(forms.0 == forms.1, values.0 == values.1);
        }
    }

    #[test]
    fn no_bytes_panic(text: Vec<u8>) {
        canonical(&text);
    }
}

#[test]
fn no_form_is_the_beginning_of_another() {
    // Otherwise elements could change places with what stands behind them.
    let texts = ["1", "10", "12", "1e5", "\"\"", "\"a\"", "\"ab\"", "[]", "[1]", "{}", "{\"a\":1}", "null", "true"];
    let forms: Vec<_> = texts.iter().map(|text| canonical(text.as_bytes()).unwrap()).collect();
    for (at, one) in forms.iter().enumerate() {
        assert!(forms.iter().enumerate().all(|(other, form)| at == other || !form.starts_with(one)), "{}", texts[at]);
    }
}

#[test]
fn the_deepest_text_that_may_be_published_has_a_form() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(canonical(nested(64).as_bytes()).is_some());
    assert!(canonical(nested(65).as_bytes()).is_none());
}
