//! Documents that name tests as proof name tests that there are.

use std::fs;
use std::path::Path;

/// What the last columns of tables headed so name.
const HEADING: &str = "| proved by |";

fn named(document: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_in_table = false;
    for line in document.lines() {
        is_in_table = line.starts_with('|') && (is_in_table || line.ends_with(HEADING));
        if is_in_table {
            let last = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
            names.extend(last.split('`').skip(1).step_by(2));
        }
    }
    names
}

/// All sources below a directory, one behind the other.
fn sources(dir: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all += &fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[test]
fn every_test_that_a_document_names_as_proof_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = sources(&root.join("crates"));
    for document in ["docs/RELIABILITY.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let names = named(&text);
        assert!(names.len() > 10, "{document} names {names:?}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}()")), "{document}: there is no test `{name}`");
        }
    }
}
