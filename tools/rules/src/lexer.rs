//! Rust source as code without comments and strings, and as comments.

/// A source file taken apart.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    /// The source with comments and the contents of strings replaced by spaces. Lines stay where
    /// they are.
    pub(crate) code: String,
    pub(crate) comments: Vec<Comment>,
}

/// One `//` comment, or one line of a block comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Line number, from 1.
    pub(crate) line: usize,
    /// `///` or `//!`.
    pub(crate) is_doc: bool,
    /// Without the slashes and the space after them.
    pub(crate) text: String,
}

/// Takes a source file apart.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { rest: source, line: 1, out: Lexed::default() };
    while let Some(first) = lexer.rest.chars().next() {
        lexer.step(first);
    }
    lexer.out
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    out: Lexed,
}

impl Lexer<'_> {
    fn step(&mut self, first: char) {
        if self.rest.starts_with("//") {
            self.line_comment();
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.take(1, true);
            self.string();
        } else if let Some(hashes) = self.raw_string() {
            self.raw(hashes);
        } else if first == '\'' {
            let length = char_literal(self.rest);
            self.take(length, length > 1);
        } else if first.is_alphanumeric() || first == '_' {
            // A whole word, so that the `r` of `for"` begins no raw string.
            let word = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            self.take(word, false);
        } else {
            self.take(first.len_utf8(), false);
        }
    }

    /// Moves on by `bytes`, which become spaces if they are to be blanked.
    fn take(&mut self, bytes: usize, blank: bool) {
        let (taken, rest) = self.rest.split_at(bytes);
        for c in taken.chars() {
            self.line += usize::from(c == '\n');
            self.out.code.push(if blank && c != '\n' { ' ' } else { c });
        }
        self.rest = rest;
    }

    fn line_comment(&mut self) {
        let length = self.rest.find('\n').unwrap_or(self.rest.len());
        let comment = &self.rest[2..length];
        let is_doc = comment.starts_with('!') || (comment.starts_with('/') && !comment.starts_with("//"));
        let text = comment.trim_start_matches(['/', '!']);
        let text = text.strip_prefix(' ').unwrap_or(text).to_owned();
        self.out.comments.push(Comment { line: self.line, is_doc, text });
        self.take(length, true);
    }

    fn block_comment(&mut self) {
        let length = self.rest.find("*/").map_or(self.rest.len(), |end| end + 2);
        for (number, text) in self.rest[..length].lines().enumerate() {
            let text = text.trim().to_owned();
            self.out.comments.push(Comment { line: self.line + number, is_doc: false, text });
        }
        self.take(length, true);
    }

    /// The rest of a string whose first quote has been taken.
    fn string(&mut self) {
        let mut is_escaped = false;
        let end = self.rest.find(|c: char| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        self.take(end.map_or(self.rest.len(), |end| end + 1), true);
    }

    /// The number of hashes of a raw string that begins here, `r"` or `br#"`.
    fn raw_string(&self) -> Option<usize> {
        let rest = self.rest.strip_prefix('b').unwrap_or(self.rest).strip_prefix('r')?;
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        rest[hashes..].starts_with('"').then_some(hashes)
    }

    fn raw(&mut self, hashes: usize) {
        let end = format!("\"{}", "#".repeat(hashes));
        let begin = self.rest.find('"').map_or(self.rest.len(), |quote| quote + 1);
        let length = self.rest[begin..].find(&end).map_or(self.rest.len(), |found| begin + found + end.len());
        self.take(length, true);
    }
}

/// The length of a character literal that begins `text`, or 1 for a lifetime.
fn char_literal(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3.min(text.len())..].find('\'').map_or(1, |end| end + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        lex(source).code
    }

    #[test]
    fn strings_are_blanked_and_code_is_not() {
        assert_eq!(code(r#"f("a\"b", 'x', '\'', b'"')"#), "f(      ,    ,     , b   )");
        assert_eq!(code("r#\"a\"b\"# + br\"\\\" + for_r"), "         +       + for_r");
        assert_eq!(code("&'a str, 'b: loop"), "&'a str, 'b: loop");
    }

    #[test]
    fn comments_keep_their_lines() {
        let lexed = lex("a // one\n/// Two.\n//! Three\n/* x\ny */ b \"// no\"\n");
        let found: Vec<_> = lexed.comments.iter().map(|c| (c.line, c.is_doc, c.text.as_str())).collect();
        assert_eq!(
            found,
            [(1, false, "one"), (2, true, "Two."), (3, true, "Three"), (4, false, "/* x"), (5, false, "y */")]
        );
        assert_eq!(lexed.code.lines().count(), 5);
        assert!(lexed.code.contains("b") && !lexed.code.contains("no"));
    }
}
