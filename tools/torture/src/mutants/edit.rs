//! Edits of source files, checked when this crate is compiled.

/// A source file of the engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// From the root of the repository.
    pub(crate) path: &'static str,
    pub(crate) text: &'static str,
}

/// The [`Source`] at a path from the root of the repository.
macro_rules! source {
    ($path:literal) => {
        Source { path: $path, text: include_str!(concat!("../../../../", $path)) }
    };
}
pub(crate) use source;

/// The replacement of a piece of a source file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    pub(crate) path: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

/// Replaces `from`, which must occur in `source` exactly once. Evaluated at compile time, so that a
/// mutant whose source has changed does not compile.
pub(crate) const fn edit(source: &Source, from: &'static str, to: &'static str) -> Edit {
    assert!(occurs_once(source.text, from), "this edit of a mutant no longer fits its source file exactly once");
    Edit { path: source.path, from, to }
}

const fn occurs_once(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let (mut count, mut start) = (0, 0);
    while start + part.len() <= text.len() {
        let mut same = 0;
        while same < part.len() && text[start + same] == part[same] {
            same += 1;
        }
        count += (same == part.len()) as u32;
        start += 1;
    }
    count == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_must_occur_exactly_once() {
        assert!(occurs_once("abcabd", "abd"));
        assert!(!occurs_once("abcabd", "ab"));
        assert!(!occurs_once("abc", "abcd"));
        // Overlapping occurrences are two.
        assert!(!occurs_once("aaa", "aa"));
    }
}
