//! The crates of the workspace and their source files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::lexer::{Comment, lex};
use crate::tokens::{tokens, without_tests};

/// Folders with one crate in each folder below them.
const PARENTS: [&str; 2] = ["crates", "tools"];
/// Crates that are elsewhere.
const OTHERS: [&str; 3] = ["bench", "bench/compare", "fuzz"];

/// A crate.
#[derive(Debug)]
pub(crate) struct Crate {
    /// The name of its folder.
    pub(crate) name: String,
    /// The modules of its library or, without one, of its binary, by path. The root's path is
    /// empty.
    pub(crate) modules: BTreeMap<Vec<String>, Module>,
    /// Comments of all Rust files, tests and benches included.
    pub(crate) comments: Vec<(PathBuf, Vec<Comment>)>,
}

/// A module that is a file.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// Its folder below `src`. `a.rs` beside `a/` is in `a`.
    pub(crate) folder: String,
    /// Without comments, strings and test code; one line for each line with code.
    pub(crate) code: String,
    /// A hidden module of the library, or below one: public for fuzzing and measuring alone.
    pub(crate) is_hidden: bool,
}

/// All crates of the repository at `root`.
pub(crate) fn crates(root: &Path) -> io::Result<Vec<Crate>> {
    let mut dirs: Vec<PathBuf> = OTHERS.iter().map(|other| root.join(other)).collect();
    for parent in PARENTS {
        let parent = root.join(parent);
        if parent.is_dir() {
            dirs.extend(entries(&parent)?);
        }
    }
    dirs.retain(|dir| dir.join("Cargo.toml").is_file());
    dirs.sort();
    dirs.iter().map(|dir| read_crate(root, dir)).collect()
}

fn read_crate(root: &Path, dir: &Path) -> io::Result<Crate> {
    let mut files = Vec::new();
    rust_files(dir, &mut files)?;
    let src = dir.join("src");
    let has_library = src.join("lib.rs").is_file();
    let mut found = Crate { name: name(dir), modules: BTreeMap::new(), comments: Vec::new() };
    let (mut tests, mut hidden) = (BTreeSet::new(), BTreeSet::new());
    for file in &files {
        let lexed = lex(&fs::read_to_string(file)?);
        let shown = file.strip_prefix(root).unwrap_or(file).to_path_buf();
        if let Some(path) = module_path(&src, file, has_library) {
            let tokens = tokens(&lexed.code);
            let (kept, test_modules) = without_tests(&tokens);
            tests.extend(test_modules.iter().map(|name| child(&path, name)));
            hidden.extend(crate::items::hidden_modules(&kept).iter().map(|name| child(&path, name)));
            let folder = folder(&src, file);
            let code = joined(&kept);
            found.modules.insert(path, Module { file: shown.clone(), folder, code, is_hidden: false });
        }
        found.comments.push((shown, lexed.comments));
    }
    found.modules.retain(|path, _| !is_below(path, &tests));
    for (path, module) in &mut found.modules {
        module.is_hidden = is_below(path, &hidden);
    }
    Ok(found)
}

/// Tokens with a space between them, on the lines where they were.
fn joined(tokens: &[crate::tokens::Token<'_>]) -> String {
    let (mut text, mut line) = (String::new(), 0);
    for token in tokens {
        text.push(if token.line == line { ' ' } else { '\n' });
        line = token.line;
        text.push_str(token.text);
    }
    text
}

fn is_below(path: &[String], set: &BTreeSet<Vec<String>>) -> bool {
    (1..=path.len()).any(|length| set.contains(&path[..length]))
}

pub(crate) fn child(path: &[String], name: &str) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(name.to_owned());
    path
}

/// `src/a/b.rs` is `a::b`. Files outside of `src` are no modules, and a binary beside a library is
/// neither.
fn module_path(src: &Path, file: &Path, has_library: bool) -> Option<Vec<String>> {
    let inside = file.strip_prefix(src).ok()?.with_extension("");
    let path: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match path.as_slice() {
        [root] if root == "lib" => Some(Vec::new()),
        [root] if root == "main" => (!has_library).then(Vec::new),
        [bin, ..] if bin == "bin" => None,
        _ => Some(path),
    }
}

fn folder(src: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(src).unwrap_or(file);
    let beside = file.with_extension("");
    let folder = if beside.is_dir() { inside.with_extension("") } else { inside.with_file_name("") };
    folder.to_string_lossy().trim_end_matches('/').to_owned()
}

pub(crate) fn name(dir: &Path) -> String {
    dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

pub(crate) fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// All Rust files below `dir`, but not those of a crate inside of it or of its target directory.
fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            if name(&path) != "target" && !path.join("Cargo.toml").is_file() {
                rust_files(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
