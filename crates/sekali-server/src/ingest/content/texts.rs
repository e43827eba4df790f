//! The texts of payloads, for the filters that the engine keeps of those that it has no columns of.
//!
//! They must be those that `q=` looks at, and the numbers those that conditions on members compare:
//! see `query/filter`.

use sekali_store::Piece;
use sekali_wire::json::{Decimal, Tokens};

use crate::query::parse_number;

/// See [`ContentRules::texts`](sekali_store::ContentRules).
pub(super) fn texts(part: &[u8], visit: &mut dyn FnMut(Piece<'_>)) -> bool {
    let (mut tokens, mut number) = (Tokens::new(part), Vec::new());
    for text in tokens.by_ref() {
        number.clear();
        let is_number = append_number(&text, &mut number);
        visit(Piece { text: &text, number: is_number.then_some(&number) });
    }
    tokens.is_sound()
}

/// Writes the number that a text says in the one spelling that all equal numbers have. `false` if
/// it says none.
fn append_number(text: &[u8], out: &mut Vec<u8>) -> bool {
    // Most numbers are written like that already.
    if text.len() < 18
        && text.first().is_some_and(|first| (b'1'..=b'9').contains(first))
        && text.iter().all(u8::is_ascii_digit)
    {
        out.extend_from_slice(text);
        return true;
    }
    parse_number(text).inspect(|number: &Decimal<'_>| number.append_plain(out)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_spelling_and_what_is_none_has_no_number() {
        let told = |part: &str| {
            let mut told = Vec::new();
            let is_told = texts(part.as_bytes(), &mut |piece| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                told.push((text(piece.text), piece.number.map(text)));
            });
            (told, is_told)
        };
        let pair = |text: &str, number: Option<&str>| (text.to_owned(), number.map(str::to_owned));
        for (part, number) in [
            ("5", "5"),
            ("5.0", "5"),
            ("50e-1", "5"),
            ("-0", "0"),
            ("\"5\"", "5"),
            ("\"5e0\"", "5"),
            ("120", "120"),
            ("12e1", "120"),
            ("1e999", "0.1e1000"),
            ("123456789012345678901234567890", "0.12345678901234567890123456789e30"),
        ] {
            assert_eq!(
                told(part).0.into_iter().filter_map(|(_, number)| number).collect::<Vec<_>>(),
                [number],
                "{part}"
            );
        }
        let (pieces, is_told) = told(r#"{"a b":["05","x5",true,"\u0031 "]}"#);
        assert_eq!(pieces, [pair("a b", None), pair("05", None), pair("x5", None), pair("1 ", None)]);
        assert!(is_told && !told("\"a").1);
    }
}
