//! Formulas in CSV cells, defused and restored.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in
//! front, which spreadsheets read as "this is text" (OWASP, "CSV injection"). A cell that looks as
//! if it had been treated already (apostrophes, then one of these characters) gets one more, so
//! that reading restores exactly the original. Reading removes one apostrophe from every cell that
//! has one or more of them in front of such a character, and leaves all others unchanged.

/// Returns the original text of `cell`: without its apostrophe, if [`needs_apostrophe`] put one in
/// front.
pub fn restore(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| needs_apostrophe(rest.as_bytes())).unwrap_or(cell)
}

/// Whether a cell is written with an apostrophe in front.
pub(super) fn needs_apostrophe(cell: &[u8]) -> bool {
    let first = cell.iter().find(|&&byte| byte != b'\'');
    matches!(first, Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn defuse(text: &str) -> String {
        format!("{}{text}", if needs_apostrophe(text.as_bytes()) { "'" } else { "" })
    }

    #[test]
    fn formulas_are_defused_and_nothing_else() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-5", "'-5"),
            ("\tx", "'\tx"),
            ("'=x", "''=x"),
            ("''\rx", "'''\rx"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            ("", ""),
            ("'", "'"),
            ("{\"a\":1}", "{\"a\":1}"),
        ];
        for (text, cell) in cases {
            assert_eq!((defuse(text).as_str(), restore(cell)), (cell, text));
        }
    }

    #[test]
    fn cells_that_others_wrote_keep_their_apostrophes() {
        for cell in ["'tis", "'", "''", "it's", "=1"] {
            assert_eq!(restore(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn every_text_survives_and_is_harmless(text in "['=+@\t\r\\-a]{0,6}") {
            let cell = defuse(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(restore(&cell), &*text);
        }
    }
}
