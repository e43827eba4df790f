//! Imports between modules, and circles of imports across folders.
//!
//! A path is followed to the module that declares its last name: through `crate`, `self` and
//! `super`, through modules, and through names that a module has imported or exports again. So
//! `use super::Error`, where the parent has `pub use error::Error`, is an import from `error`.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{Crate, child};
use crate::tokens::{Token, tokens};

/// Limit of re-exports that are followed for one name. A longer chain is a circle of `use`.
const DEPTH_MAX: usize = 16;

/// The path of a module in its crate.
type Path = Vec<String>;

/// The names that a module imports or mentions.
#[derive(Debug, Default)]
struct Names {
    /// Each name that `use` binds, and its path.
    bound: BTreeMap<String, Path>,
    /// Every path that is imported or written out.
    paths: Vec<Path>,
    /// Paths of `pub use`, also in `paths`.
    exported: Vec<Path>,
}

/// Groups of modules in more than one folder that import each other, directly or through others.
///
/// A module and its own parts may import each other: a circle through the module above all others
/// of it counts only if it closes without that one.
pub(crate) fn circles(of: &Crate) -> Vec<BTreeSet<Path>> {
    let graph = graph(of);
    let mut found = Vec::new();
    let mut waiting = vec![graph.keys().cloned().collect::<BTreeSet<_>>()];
    while let Some(modules) = waiting.pop() {
        for mut circle in connected(&graph, &modules) {
            let top = common(&circle);
            let folders: BTreeSet<_> = circle.iter().filter_map(|path| Some(&of.modules.get(path)?.folder)).collect();
            if folders.len() < 2 {
                continue;
            }
            if circle.remove(&top) {
                waiting.push(circle);
            } else {
                found.push(circle);
            }
        }
    }
    found.sort();
    found
}

/// The groups of these modules in which each imports every other, directly or through others.
fn connected(graph: &BTreeMap<Path, BTreeSet<Path>>, modules: &BTreeSet<Path>) -> BTreeSet<BTreeSet<Path>> {
    let reached: BTreeMap<_, _> = modules.iter().map(|from| (from, reachable(graph, modules, from))).collect();
    let group = |(from, all): (&&Path, &BTreeSet<Path>)| {
        all.iter().filter(|to| reached.get(to).is_some_and(|back| back.contains(*from))).cloned().collect()
    };
    reached.iter().map(group).collect()
}

/// The longest common beginning of these paths.
fn common(paths: &BTreeSet<Path>) -> Path {
    // They are sorted, so the first and the last differ soonest.
    let (Some(first), Some(last)) = (paths.first(), paths.last()) else { return Vec::new() };
    first.iter().zip(last).take_while(|(a, b)| a == b).map(|(a, _)| a.clone()).collect()
}

/// The imports of each module of a circle from others of the circle, for people.
pub(crate) fn describe(of: &Crate, circle: &BTreeSet<Path>) -> Vec<String> {
    let graph = graph(of);
    let mut lines = Vec::new();
    for from in circle {
        let inside: Vec<_> = graph.get(from).into_iter().flatten().filter(|to| circle.contains(*to)).collect();
        let inside: Vec<_> = inside.iter().map(|to| shown(to)).collect();
        lines.push(format!("{} imports {}", shown(from), inside.join(", ")));
    }
    lines
}

fn shown(path: &[String]) -> String {
    if path.is_empty() { "crate".to_owned() } else { path.join("::") }
}

fn graph(of: &Crate) -> BTreeMap<Path, BTreeSet<Path>> {
    let names: BTreeMap<&Path, Names> =
        of.modules.iter().map(|(path, module)| (path, names(&tokens(&module.code)))).collect();
    let mut graph = BTreeMap::new();
    for (from, own) in &names {
        // The root of a crate exports its modules again and uses none of them by that.
        let counts = |path: &&Path| !from.is_empty() || !own.exported.contains(*path);
        let found = own.paths.iter().filter(counts).filter_map(|path| resolve(&names, from, path, DEPTH_MAX));
        let edges: BTreeSet<Path> = found.filter(|to| to != *from).collect();
        graph.insert((*from).clone(), edges);
    }
    graph
}

/// The modules that `from` imports, directly or through others of `modules`.
fn reachable(graph: &BTreeMap<Path, BTreeSet<Path>>, modules: &BTreeSet<Path>, from: &Path) -> BTreeSet<Path> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(next) = waiting.pop() {
        for to in graph.get(next).into_iter().flatten().filter(|to| modules.contains(*to)) {
            if reached.insert(to.clone()) {
                waiting.push(to);
            }
        }
    }
    reached
}

/// The module that declares the last name of `path`, as it is written in the module `from`. `None`
/// for other crates.
fn resolve(names: &BTreeMap<&Path, Names>, from: &Path, path: &[String], depth: usize) -> Option<Path> {
    let mut module = from.clone();
    for (at, name) in path.iter().enumerate() {
        match name.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module.pop()?;
            }
            _ if names.contains_key(&child(&module, name)) => module = child(&module, name),
            _ => {
                let bound = names.get(&module).and_then(|names| names.bound.get(name));
                // A name that no `use` binds is declared here, or is another crate.
                let Some(bound) = bound.filter(|bound| depth > 0 && bound.as_slice() != path) else {
                    return (at > 0).then_some(module);
                };
                let whole: Path = bound.iter().chain(&path[at + 1..]).cloned().collect();
                return resolve(names, &module, &whole, depth - 1);
            }
        }
    }
    Some(module)
}

fn names(tokens: &[Token<'_>]) -> Names {
    let mut names = Names::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let is_path = tokens.get(at + 1).is_some_and(|next| next.text == "::");
        let use_at = at;
        if token.text == "use" && tokens.get(at + 1).is_none_or(|next| next.text != "<") {
            let before = names.paths.len();
            at += 1 + tree(&tokens[at + 1..], &[], &mut names);
            if is_exported(&tokens[..use_at]) {
                names.exported.extend_from_slice(&names.paths[before..]);
            }
        } else if token.is_word() && is_path && !follows_path(tokens, at) {
            let (path, length) = plain_path(&tokens[at..]);
            names.paths.push(path);
            at += length;
        } else {
            at += 1;
        }
    }
    names
}

/// Whether `pub` or `pub(…)` is the last of these tokens.
fn is_exported(before: &[Token<'_>]) -> bool {
    match before {
        [.., last] if last.text == "pub" => true,
        [.., visibility, open, _, close] => visibility.text == "pub" && open.text == "(" && close.text == ")",
        _ => false,
    }
}

fn follows_path(tokens: &[Token<'_>], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == "::")
}

/// The path that begins `tokens`, up to its last word, and its length in tokens.
fn plain_path(tokens: &[Token<'_>]) -> (Path, usize) {
    let mut path = Vec::new();
    let mut at = 0;
    while let Some(word) = tokens.get(at).filter(|token| token.is_word()) {
        path.push(word.text.to_owned());
        at += 1;
        if tokens.get(at).is_none_or(|next| next.text != "::") {
            break;
        }
        at += 1;
    }
    (path, at.max(1))
}

/// Reads one tree of a `use`. Returns its length in tokens.
fn tree(tokens: &[Token<'_>], prefix: &[String], names: &mut Names) -> usize {
    let mut path = prefix.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => at += 1,
            "*" => {
                names.paths.push(path);
                return at + 1;
            }
            "{" => return at + branches(&tokens[at..], &path, names),
            "as" => {
                let alias = tokens.get(at + 1).map_or("_", |alias| alias.text);
                bind(alias, path, names);
                return at + 2;
            }
            _ if token.is_word() => {
                path.push(token.text.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    // `self` at the end of a tree is the module before it.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    if let Some(last) = path.last().cloned() {
        bind(&last, path, names);
    }
    at
}

fn bind(name: &str, path: Path, names: &mut Names) {
    names.paths.push(path.clone());
    names.bound.insert(name.to_owned(), path);
}

/// Reads the trees in braces. Returns their length in tokens.
fn branches(tokens: &[Token<'_>], prefix: &[String], names: &mut Names) -> usize {
    let mut at = 1;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "}" => return at + 1,
            "," => at += 1,
            _ => at += tree(&tokens[at..], prefix, names).max(1),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Module;

    /// Builds a crate from the folder and the code of each module.
    fn made_of(modules: &[(&str, &str, &str)]) -> Crate {
        let modules = modules.iter().map(|(path, folder, code)| {
            let path = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let module = Module {
                file: "x.rs".into(),
                folder: (*folder).to_owned(),
                code: (*code).to_owned(),
                is_hidden: false,
            };
            (path, module)
        });
        Crate { name: "x".to_owned(), modules: modules.collect(), comments: Vec::new() }
    }

    #[test]
    fn a_circle_across_folders_is_found() {
        let found = circles(&made_of(&[
            ("", "", "mod a; mod b;"),
            ("a", "a", "pub use c::C;"),
            ("a::c", "a", "use crate::b::{self, d::D as E};"),
            ("b", "b", "mod d;"),
            ("b::d", "b", "fn f(c: super::super::a::C) {}"),
        ]));
        let shown: Vec<Vec<_>> =
            found.iter().map(|circle| circle.iter().map(|path| path.join("::")).collect()).collect();
        assert_eq!(shown, [["a::c", "b::d"]]);
    }

    #[test]
    fn a_circle_in_one_folder_and_other_crates_are_none() {
        let found = circles(&made_of(&[
            (
                "",
                "b",
                "pub use a::A; pub(crate) const B: u8 = 1; use std::fmt::{self, Debug}; impl<T> Debug for A where T: Into<u8> {}",
            ),
            ("a", "a", "mod c; use c::C; struct A;"),
            ("a::c", "a", "use super::A; use crate::B; use bytes::Bytes; fn f() -> impl Fn() + use<'a> { bytes::g() }"),
        ]));
        assert_eq!(found, Vec::<BTreeSet<Path>>::new());
    }

    #[test]
    fn a_module_and_its_parts_may_import_each_other_but_the_parts_among_themselves_may_not() {
        let parts = |read: &'static str| {
            circles(&made_of(&[
                ("a", "a", "mod write; mod read; struct A; use write::w::W; use read::r::R;"),
                ("a::write", "a/write", "mod w;"),
                ("a::write::w", "a/write", "use crate::a::{A, read::r::R};"),
                ("a::read", "a/read", "mod r;"),
                ("a::read::r", "a/read", read),
            ]))
        };
        assert_eq!(parts("use super::super::A;").len(), 0);
        assert_eq!(parts("use super::super::{A, write::w::W};").len(), 1);
    }

    #[test]
    fn names_that_are_exported_again_are_followed() {
        let all = made_of(&[
            ("", "", "mod a; mod b;"),
            ("a", "a", "mod c; pub use c::{C, D};"),
            ("a::c", "a", ""),
            ("b", "", "use crate::a; fn f(x: a::C, y: self::a::D, z: a::E) {}"),
        ]);
        let edges = graph(&all).remove(&vec!["b".to_owned()]).unwrap();
        let edges: Vec<_> = edges.iter().map(|path| path.join("::")).collect();
        assert_eq!(edges, ["a", "a::c"], "the module itself, and C and D where they are declared");
    }
}
