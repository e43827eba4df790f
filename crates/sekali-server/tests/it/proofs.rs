//! Documents that name tests as proof name tests that exist.

use std::fs;
use std::path::Path;

/// Introduces the names of tests, up to the end of its paragraph or list item.
const PROOF: &str = "Proved by ";

fn named(document: &str) -> Vec<String> {
    let paragraphs = document.split("\n\n").flat_map(|paragraph| paragraph.split("\n- "));
    let mut names = Vec::new();
    for paragraph in paragraphs {
        let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((_, proof)) = line.split_once(PROOF) {
            names.extend(proof.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    names
}

/// All sources below a directory, concatenated.
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
