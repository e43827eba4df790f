//! Items: public ones, type names, functions and assertions.

use crate::tokens::{Token, attribute, group, item};

/// Keywords that begin an item with a name.
const ITEMS: [&str; 9] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod"];
const TYPES: [&str; 5] = ["struct", "enum", "union", "trait", "type"];
/// Words between `pub` and the keyword of a function.
const QUALIFIERS: [&str; 3] = ["async", "unsafe", "extern"];
/// Macros that stop a release build from going on.
const ASSERTIONS: [&str; 4] = ["invariant", "assert", "assert_eq", "assert_ne"];

/// Visibility of an item beyond its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// `pub(super)`, `pub(crate)` and the like.
    Restricted,
    Public,
}

/// An item with a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) visibility: Visibility,
    pub(crate) name: &'a str,
    pub(crate) is_type: bool,
    pub(crate) line: usize,
}

/// All items that are not private, those in modules and implementations included.
pub(crate) fn items<'a>(tokens: &[Token<'a>]) -> Vec<Item<'a>> {
    let mut all = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.text == "pub") {
        let (visibility, length) = visibility(&tokens[at..]);
        all.extend(named(&tokens[at + length..], visibility));
    }
    all
}

fn visibility(tokens: &[Token<'_>]) -> (Visibility, usize) {
    match tokens.get(1) {
        Some(open) if open.text == "(" => (Visibility::Restricted, 1 + group(&tokens[1..])),
        _ => (Visibility::Public, 1),
    }
}

fn named<'a>(tokens: &[Token<'a>], visibility: Visibility) -> Option<Item<'a>> {
    let mut rest = tokens;
    while let [first, after @ ..] = rest
        && (QUALIFIERS.contains(&first.text) || (first.text == "const" && after.first()?.text == "fn"))
    {
        rest = after;
    }
    let [keyword, name, ..] = rest else { return None };
    let is_item = ITEMS.contains(&keyword.text) && name.is_word();
    let is_type = TYPES.contains(&keyword.text);
    is_item.then_some(Item { visibility, name: name.text, is_type, line: name.line })
}

/// Modules under `#[doc(hidden)]`, declared as `pub mod name;`.
pub(crate) fn hidden_modules<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for at in 0..tokens.len() {
        let length = attribute(&tokens[at..]);
        let text: String = tokens[at..at + length].iter().map(|token| token.text).collect();
        if let [visibility, keyword, name, ..] = &tokens[at + length..]
            && text == "#[doc(hidden)]"
            && visibility.text == "pub"
            && keyword.text == "mod"
        {
            names.push(name.text);
        }
    }
    names
}

/// Lines of assertions that stay in a release build.
pub(crate) fn assertions(tokens: &[Token<'_>]) -> Vec<usize> {
    let pairs = tokens.windows(2).filter(|pair| ASSERTIONS.contains(&pair[0].text) && pair[1].text == "!");
    pairs.map(|pair| pair[0].line).collect()
}

/// The functions with a body: name and lines from the name to the closing brace.
pub(crate) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<(&'a str, usize)> {
    let mut all = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        if keyword.text == "fn" && name.is_word() {
            // `item` skips the parameters, whose types may contain a semicolon, `[u8; 2]`.
            let rest = &tokens[at..];
            let end = item(rest);
            if let Some(last) = rest[..end].last().filter(|last| last.text == "}") {
                all.push((name.text, last.line - keyword.line + 1));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    #[test]
    fn items_have_names_and_visibility() {
        let tokens = tokens(
            "pub(crate) struct A; pub const fn b() {} pub const C: u8 = 1; struct D { pub e: u8 } pub use f::g; \
             pub async fn h() {} impl X { pub fn i() {} type J = u8; } #[derive(Y)] enum K {}",
        );
        let found: Vec<_> = items(&tokens).iter().map(|item| (item.name, item.visibility)).collect();
        use Visibility::{Public, Restricted};
        let expected = [("A", Restricted), ("b", Public), ("C", Public), ("h", Public), ("i", Public)];
        assert_eq!(found, expected);
    }

    #[test]
    fn hidden_modules_are_found() {
        assert_eq!(hidden_modules(&tokens("#[doc(hidden)] pub mod fuzzing; pub mod log;")), ["fuzzing"]);
    }

    #[test]
    fn functions_are_measured_with_their_bodies() {
        let code = tokens("trait T { fn a(); }\nfn b(x: [u8; 2])\n-> u8 {\n {}\n}\nfn c() {}");
        assert_eq!(functions(&code), [("b", 4), ("c", 1)]);
        assert_eq!(assertions(&tokens("assert!(x); debug_assert!(y); invariant!(z)")), [1, 1]);
    }
}
