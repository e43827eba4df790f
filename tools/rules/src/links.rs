//! Links of documents that lead nowhere, and translations that are not in step.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::documents::{Document, Link, Section};

/// Translations, each with its original.
const TRANSLATIONS: [(&str, &str); 1] = [("README.id.md", "README.md")];

/// Links within the repository whose file or heading does not exist.
pub(crate) fn broken(root: &Path, documents: &[Document]) -> Vec<String> {
    let anchors: BTreeMap<&Path, Vec<&str>> = documents
        .iter()
        .map(|of| (of.file.as_path(), of.sections.iter().map(|section| section.anchor.as_str()).collect()))
        .collect();
    let mut places = Vec::new();
    for document in documents {
        for link in document.sections.iter().flat_map(|section| &section.links) {
            if let Some(what) = fault(root, document, link, &anchors) {
                places.push(format!("{}:{}: {}: {what}", document.file.display(), link.line, link.target));
            }
        }
    }
    places
}

fn fault(root: &Path, from: &Document, link: &Link, anchors: &BTreeMap<&Path, Vec<&str>>) -> Option<&'static str> {
    if link.target.contains("://") || link.target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
    let file = if path.is_empty() { from.file.clone() } else { beside(&from.file, path) };
    if !root.join(&file).exists() {
        return Some("there is no such file");
    }
    let there = anchors.get(file.as_path())?;
    (!anchor.is_empty() && !there.contains(&anchor)).then_some("there is no such heading")
}

/// The path that `path` means in a document at `from`, without `..`.
fn beside(from: &Path, path: &str) -> PathBuf {
    let mut found = from.with_file_name("");
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            other => found.push(other),
        }
    }
    found
}

/// Sections where a translation has other headings, code, links, items or rows.
pub(crate) fn differing_translations(documents: &[Document]) -> Vec<String> {
    let mut places = Vec::new();
    let find = |name: &str| documents.iter().find(|document| document.file == Path::new(name));
    for (translated, original) in TRANSLATIONS {
        match (find(translated), find(original)) {
            (Some(translated), Some(original)) => places.extend(differences(translated, original)),
            _ => places.push(format!("{translated} or {original} does not exist")),
        }
    }
    places
}

fn differences(translated: &Document, original: &Document) -> Vec<String> {
    let mut places = Vec::new();
    let (here, there) = (&translated.sections, &original.sections);
    if here.len() != there.len() {
        places.push(format!("{}: {} headings and not {}", translated.file.display(), here.len(), there.len()));
    }
    for (of, like) in here.iter().zip(there) {
        let of_it = skeleton(of, here, &original.file);
        let of_other = skeleton(like, there, &translated.file);
        for ((what, is), (_, should_be)) in of_it.into_iter().zip(of_other) {
            if is != should_be {
                let (file, line) = (translated.file.display(), of.line);
                places.push(format!("{file}:{line}: {what}: {is:?} and not {should_be:?}"));
            }
        }
    }
    places
}

/// The parts that a section and its translation have in common. The order of links within a section
/// is the language's own; a link to a heading of the same document goes by the number of that
/// heading, and the link to the `other` document has no counterpart.
fn skeleton(section: &Section, all: &[Section], other: &Path) -> Vec<(&'static str, Vec<String>)> {
    let number = |target: &str| {
        let anchor = target.strip_prefix('#')?;
        all.iter().position(|section| section.anchor == anchor).map(|place| format!("heading {place}"))
    };
    let links = section.links.iter().filter(|link| Path::new(&link.target) != other);
    let mut links: Vec<_> = links.map(|link| number(&link.target).unwrap_or_else(|| link.target.clone())).collect();
    links.sort();
    vec![
        ("level of the heading", vec![section.level.to_string()]),
        ("code", section.blocks.clone()),
        ("links", links),
        ("items", vec![section.items.to_string()]),
        ("rows of tables", vec![section.rows.to_string()]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(file: &str, section: Section) -> Document {
        Document { file: PathBuf::from(file), sections: vec![section] }
    }

    fn section(anchor: &str, targets: &[&str]) -> Section {
        let links = targets.iter().map(|target| Link { line: 3, target: (*target).to_owned() }).collect();
        Section { anchor: anchor.to_owned(), links, ..Section::default() }
    }

    #[test]
    fn a_link_to_a_missing_file_or_heading_is_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let targets = ["Cargo.toml", "../Cargo.toml", "away.md", "b.md#there", "b.md#away", "https://a.example/#x"];
        let documents = [document("src/a.md", section("", &targets)), document("src/b.md", section("there", &[]))];
        let found = broken(root, &documents);
        // Neither document is on the disk, so only a path to this crate's manifest leads anywhere.
        let named = ["Cargo.toml", "away.md", "b.md#there", "b.md#away"];
        let expected: Vec<_> =
            named.iter().map(|target| format!("src/a.md:3: {target}: there is no such file")).collect();
        assert_eq!(found, expected);

        let here = [document("Cargo.toml", section("there", &["#there", "#away"]))];
        assert_eq!(broken(root, &here), ["Cargo.toml:3: #away: there is no such heading"]);
    }

    #[test]
    fn a_translation_differs_by_code_and_links_but_not_by_the_words_of_headings() {
        let code = |text: &str, of: Section| Section { blocks: vec![text.to_owned()], ..of };
        let original = document("README.md", code("a", section("use-it", &["x", "#use-it", "README.id.md"])));
        let same = document("README.id.md", code("a", section("pemakaian", &["README.md", "#pemakaian", "x"])));
        assert_eq!(differences(&same, &original), [""; 0]);
        let other = document("README.id.md", code("b", section("pemakaian", &["x"])));
        assert_eq!(differences(&other, &original).len(), 2, "code and links");
        assert_eq!(differing_translations(&[original]).len(), 1, "the translation is missing");
    }
}
