//! Code as tokens, and the cutting out of test code.

/// A word, `::`, or a single other character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// Line number, from 1.
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of code without comments and strings.
pub(crate) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let (mut rest, mut line) = (code, 1);
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (text, after) = rest.split_at(length);
        if !first.is_whitespace() {
            all.push(Token { text, line });
        }
        line += usize::from(first == '\n');
        rest = after;
    }
    all
}

/// The tokens without items under `#[cfg(test)]` or `#[test]`, and the names of the modules that
/// this cuts out, such as `tests` of `#[cfg(test)] mod tests;`.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let attribute = attribute(&tokens[at..]);
        if attribute > 0 && is_test(&tokens[at..at + attribute]) {
            let end = at + attribute + item(&tokens[at + attribute..]);
            let cut = &tokens[at + attribute..end];
            if let Some(place) = cut.iter().position(|token| token.text == "mod")
                && cut.last().is_some_and(|last| last.text == ";")
            {
                modules.extend(cut.get(place + 1).map(|name| name.text));
            }
            at = end;
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    (kept, modules)
}

/// The length of the attribute that begins `tokens`, or 0.
pub(crate) fn attribute(tokens: &[Token<'_>]) -> usize {
    match tokens {
        [hash, open, ..] if hash.text == "#" && open.text == "[" => 1 + group(&tokens[1..]),
        _ => 0,
    }
}

fn is_test(attribute: &[Token<'_>]) -> bool {
    let text: String = attribute.iter().map(|token| token.text).collect();
    text == "#[test]" || text.starts_with("#[cfg(test") || text.starts_with("#[cfg(all(test")
}

/// The length of the item that begins `tokens`, attributes included: up to a semicolon or a block.
pub(crate) fn item(tokens: &[Token<'_>]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => return at + 1,
            "{" => return at + group(&tokens[at..]),
            "(" | "[" => at += group(&tokens[at..]),
            _ => at += 1,
        }
    }
    tokens.len()
}

/// The length of the group in brackets that begins `tokens`.
pub(crate) fn group(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_code_is_cut_out() {
        let code = "use a::b; #[cfg(test)] mod tests; #[test] #[x(y)] fn t(a: [u8; 2]) { { } } fn f() { }";
        let tokens = tokens(code);
        let (kept, modules) = without_tests(&tokens);
        let text: Vec<_> = kept.iter().map(|token| token.text).collect();
        assert_eq!(text.join(" "), "use a :: b ; fn f ( ) { }");
        assert_eq!(modules, ["tests"]);
    }
}
