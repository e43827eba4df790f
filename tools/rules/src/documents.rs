//! Documents in Markdown: their headings, code blocks and links, read line by line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::files::{entries, name};

/// Folders that have no documents of this repository.
const NOT_OURS: [&str; 3] = ["target", "node_modules", "vendor"];

/// A document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its path below the root of the repository.
    pub(crate) file: PathBuf,
    /// The part before the first heading, and one for each heading.
    pub(crate) sections: Vec<Section>,
}

/// A heading with everything up to the next one.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// The line of the heading.
    pub(crate) line: usize,
    /// 1 to 6; 0 before the first heading.
    pub(crate) level: usize,
    /// The part of an address that leads here.
    pub(crate) anchor: String,
    /// Code blocks, with their fences and the comment above that says how they are tried.
    pub(crate) blocks: Vec<String>,
    pub(crate) links: Vec<Link>,
    /// Lines that begin an item of a list.
    pub(crate) items: usize,
    /// Lines of tables.
    pub(crate) rows: usize,
}

/// A link, also of a picture.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
}

/// All documents below `root`, by path.
pub(crate) fn documents(root: &Path) -> io::Result<Vec<Document>> {
    let mut files = Vec::new();
    markdown_files(root, &mut files)?;
    let read = |file: &PathBuf| {
        let shown = file.strip_prefix(root).unwrap_or(file).to_path_buf();
        Ok(Document { file: shown, sections: sections(&fs::read_to_string(file)?) })
    };
    files.iter().map(read).collect()
}

fn markdown_files(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in entries(dir)? {
        let name = name(&path);
        if path.is_dir() {
            if !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()) {
                markdown_files(&path, files)?;
            }
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
    Ok(())
}

/// The sections of a text.
fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut anchors = BTreeMap::new();
    let mut block: Option<String> = None;
    let mut how = "";
    // Code in a line may end in the next one of its paragraph.
    let mut is_code = false;
    for (line, number) in text.lines().zip(1..) {
        let begun = line.trim_start();
        let Some(section) = sections.last_mut() else { break };
        is_code &= !begun.is_empty();
        if let Some(mut code) = block.take() {
            code.push_str(line);
            code.push('\n');
            if begun.starts_with("```") {
                section.blocks.push(code);
            } else {
                block = Some(code);
            }
        } else if begun.starts_with("```") {
            block = Some(format!("{how}{line}\n"));
        } else if let Some((level, title)) = heading(line) {
            let anchor = unused(&mut anchors, anchor(title));
            let links = links(line, number, &mut false);
            sections.push(Section { line: number, level, anchor, links, ..Section::default() });
        } else {
            section.links.extend(links(line, number, &mut is_code));
            section.rows += usize::from(begun.starts_with('|'));
            section.items += usize::from(begun.starts_with("- "));
        }
        how = if line.starts_with("<!-- ") { line } else { "" };
    }
    sections
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    (1..=6).contains(&level).then(|| title.strip_prefix(' ')).flatten().map(|title| (level, title.trim()))
}

/// The anchor of a heading, as the usual hosts and mdBook make it: letters and digits in lower
/// case, a hyphen for each space.
fn anchor(title: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
    let text = without_targets(title);
    text.chars().filter(|letter| kept(*letter)).flat_map(char::to_lowercase).map(hyphenated).collect()
}

fn hyphenated(letter: char) -> char {
    if letter == ' ' { '-' } else { letter }
}

/// A title with the texts of its links in place of the links.
fn without_targets(title: &str) -> String {
    let mut text = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text + rest
}

/// The second heading of the same words gets a number.
fn unused(anchors: &mut BTreeMap<String, usize>, anchor: String) -> String {
    let before = anchors.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
    if *before == 0 { anchor } else { format!("{anchor}-{before}") }
}

/// The targets of the links of a line, outside of code.
fn links(line: &str, number: usize, is_code: &mut bool) -> Vec<Link> {
    let mut text = String::new();
    for (place, part) in line.split('`').enumerate() {
        *is_code ^= place > 0;
        if !*is_code {
            text.push_str(part);
        }
    }
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| Link { line: number, target: target.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_neither_headings_nor_links() {
        let text = "# A `b` [c](d.md)\n<!-- test: run -->\n```sh\n# no heading [x](y)\n```\n`[x](y)` [z](#a) `[x]\n(y)` [é](#b)\n";
        let sections = sections(text);
        assert_eq!(sections.len(), 2);
        let section = &sections[1];
        assert_eq!((section.level, section.anchor.as_str()), (1, "a-b-c"));
        assert_eq!(section.blocks, ["<!-- test: run -->```sh\n# no heading [x](y)\n```\n"]);
        let targets: Vec<_> = section.links.iter().map(|link| (link.line, link.target.as_str())).collect();
        assert_eq!(targets, [(1, "d.md"), (6, "#a"), (7, "#b")]);
    }

    #[test]
    fn a_repeated_heading_has_a_number_in_its_anchor() {
        let anchors: Vec<_> = sections("## Files\n## Files\n## `GET /a/{b}`").into_iter().map(|of| of.anchor).collect();
        assert_eq!(anchors, ["", "files", "files-1", "get-ab"]);
    }
}
