//! The generated tables of results in docs/RELIABILITY.md.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::results::Results;
use crate::{Outcome, tables};

/// Path of the document in the repository.
pub(crate) const PATH: &str = "docs/RELIABILITY.md";

/// Replaces the tables in the document at `path` by those of `results`.
pub(crate) fn update(path: &Path, results: &Results) -> Outcome<()> {
    let document = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::write(path, with_tables(&document, results)?)?;
    Ok(writeln!(io::stdout(), "written: {}", path.display())?)
}

/// Returns the document with the tables of `results` between its marks.
fn with_tables(document: &str, results: &Results) -> Outcome<String> {
    let tests = format!("{}\n{}", tables::runs(results), tables::tests(results));
    let document = replace(document, "tests", &tests)?;
    let document = replace(&document, "neighbours", &tables::neighbours(results))?;
    replace(&document, "mutants", &tables::mutants(results))
}

/// Replaces the text between the marks of this name.
fn replace(document: &str, name: &str, text: &str) -> Outcome<String> {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), format!("<!-- end: {name} -->\n"));
    let (before, rest) = document.split_once(&begin).ok_or_else(|| format!("there is no `{}`", begin.trim()))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| format!("there is no `{}`", end.trim()))?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let document = "a\n<!-- generated: x -->\nold\n<!-- end: x -->\nb\n";
        let expected = "a\n<!-- generated: x -->\n\nnew\n\n<!-- end: x -->\nb\n";
        assert_eq!(replace(document, "x", "new\n").unwrap(), expected);
        assert!(replace(document, "y", "new").unwrap_err().to_string().contains("generated: y"));
    }

    fn committed_results() -> Results {
        Results::read(&root().join("tools/torture/results.jsonl")).unwrap()
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_document_has_the_figures_of_the_committed_results() {
        let document = fs::read_to_string(root().join(PATH)).unwrap();
        let generated = with_tables(&document, &committed_results()).unwrap();
        assert!(generated == document, "run scripts/torture --report tools/torture/results.jsonl");
    }

    #[test]
    fn no_committed_result_breaks_the_promise() {
        let results = committed_results();
        assert!(!results.tests.is_empty());
        for line in results.tests {
            assert!(!line.contains_key("skipped"), "{line:?}");
            for name in ["acked_lost", "stored_twice", "read_then_vanished", "wrong_bytes", "invented", "panics"] {
                assert!(line.get(name).is_none_or(|count| *count == 0), "{line:?}");
            }
        }
    }
}
