//! The figures, each with the places that it counts.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::documents::documents;
use crate::files::{Crate, Module, crates};
use crate::imports;
use crate::items::{self, Visibility};
use crate::lexer::Comment;
use crate::links;
use crate::tokens::tokens;

/// Columns of a comment.
const COMMENT_COLUMNS_MAX: usize = 100;
/// Beginnings of doc comments that have a relative clause in place of a noun.
const RIDDLES: [&str; 5] = ["What", "Whoever", "Whatever", "Nobody", "So many"];
/// The crate whose assertions are counted.
const ENGINE: &str = "sekali-store";

/// A figure.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: usize,
    pub(crate) places: Vec<String>,
}

impl Figure {
    /// Creates a figure that counts its places.
    fn count(name: String, places: Vec<String>) -> Self {
        Self { name, value: places.len(), places }
    }
}

/// All figures of the repository at `root`.
pub(crate) fn all(root: &Path) -> io::Result<Vec<Figure>> {
    let crates = crates(root)?;
    let mut figures = vec![riddles(&crates), wide_comments(&crates), longest_file(&crates), longest_function(&crates)];
    let documents = documents(root)?;
    figures.push(Figure::count("broken-links".to_owned(), links::broken(root, &documents)));
    figures.push(Figure::count("translation-differences".to_owned(), links::differing_translations(&documents)));
    for of in crates.iter().filter(|of| of.name.starts_with("sekali")) {
        figures.push(circles(of));
        figures.push(repeated_types(of));
        figures.push(public_items(of));
        if of.name == ENGINE {
            figures.push(assertions(of));
        }
    }
    Ok(figures)
}

fn riddles(crates: &[Crate]) -> Figure {
    let begins = |comment: &Comment| {
        let rest = RIDDLES.iter().find_map(|riddle| comment.text.strip_prefix(riddle));
        comment.is_doc && rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    Figure::count("riddles".to_owned(), comments(crates, begins))
}

fn wide_comments(crates: &[Crate]) -> Figure {
    // The text is without slashes and space. Links and tables cannot be wrapped.
    let is_wide = |comment: &Comment| {
        let columns = comment.text.chars().count() + if comment.is_doc { 4 } else { 3 };
        columns > COMMENT_COLUMNS_MAX && !comment.text.contains("://") && !comment.text.starts_with('|')
    };
    Figure::count("wide-comments".to_owned(), comments(crates, is_wide))
}

fn comments(crates: &[Crate], counts: impl Fn(&Comment) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for (file, comments) in crates.iter().flat_map(|of| &of.comments) {
        for comment in comments.iter().filter(|comment| counts(comment)) {
            places.push(format!("{}:{}: {}", file.display(), comment.line, comment.text));
        }
    }
    places
}

fn longest_file(crates: &[Crate]) -> Figure {
    longest("file-lines", modules(crates), |module| {
        vec![(module.code.lines().count(), module.file.display().to_string())]
    })
}

fn longest_function(crates: &[Crate]) -> Figure {
    longest("function-lines", modules(crates), |module| {
        let tokens = tokens(&module.code);
        let functions = items::functions(&tokens);
        functions.iter().map(|(name, lines)| (*lines, format!("{}: {name}", module.file.display()))).collect()
    })
}

fn modules(crates: &[Crate]) -> impl Iterator<Item = &Module> {
    crates.iter().flat_map(|of| of.modules.values())
}

/// The greatest length, with the twenty longest.
fn longest<'a>(
    name: &str,
    modules: impl Iterator<Item = &'a Module>,
    lengths: impl Fn(&Module) -> Vec<(usize, String)>,
) -> Figure {
    let mut all: Vec<_> = modules.flat_map(lengths).collect();
    all.sort_by(|a, b| b.cmp(a));
    let value = all.first().map_or(0, |(lines, _)| *lines);
    let places = all.iter().take(20).map(|(lines, place)| format!("{lines} {place}")).collect();
    Figure { name: name.to_owned(), value, places }
}

fn circles(of: &Crate) -> Figure {
    let circles = imports::circles(of);
    let places = circles.iter().flat_map(|circle| imports::describe(of, circle)).collect();
    Figure { name: format!("circles.{}", of.name), value: circles.len(), places }
}

/// Types that are seen beyond their module and have the name of another one.
fn repeated_types(of: &Crate) -> Figure {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in of.modules.values() {
        for item in items::items(&tokens(&module.code)).iter().filter(|item| item.is_type) {
            declared.entry(item.name.to_owned()).or_default().push(module.file.display().to_string());
        }
    }
    declared.retain(|_, files| files.len() > 1);
    let value = declared.values().map(|files| files.len() - 1).sum();
    let places = declared.iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    Figure { name: format!("repeated-types.{}", of.name), value, places }
}

fn public_items(of: &Crate) -> Figure {
    let mut places = Vec::new();
    for module in of.modules.values().filter(|module| !module.is_hidden) {
        for item in items::items(&tokens(&module.code)) {
            if item.visibility == Visibility::Public {
                places.push(format!("{}: {}", module.file.display(), item.name));
            }
        }
    }
    Figure::count(format!("public-items.{}", of.name), places)
}

/// Assertions of a release build in 10,000 lines of code, without code for fuzzing.
fn assertions(of: &Crate) -> Figure {
    let (mut lines, mut places) = (0, Vec::new());
    for module in of.modules.values().filter(|module| !module.is_hidden) {
        lines += module.code.lines().count();
        let found = items::assertions(&tokens(&module.code)).len();
        if found > 0 {
            places.push(format!("{found} {}", module.file.display()));
        }
    }
    let total: usize = places.iter().filter_map(|place| place.split(' ').next()?.parse::<usize>().ok()).sum();
    Figure { name: format!("assertions-per-10k.{}", of.name), value: total * 10_000 / lines.max(1), places }
}
