//! The program, broken on purpose in a copy: a suite that finds nothing wrong with it proves nothing.
//!
//! Each mutant is a small change to the sources, as someone might make it by mistake. It is made in a copy of the repository, which
//! is then built, and the test that is to catch it must fail. So the product has no switches for this, the suite is
//! tried as it is, and a change that no longer fits the sources is an error.

mod list;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::json;

use super::results;
use super::runner::TestBinary;
use crate::Outcome;
use list::{Edit, MUTANTS, Mutant};

/// Where the copy is. Below the build directory, which git ignores.
const COPY: &str = "target/mutants";

/// Tries every mutant. An error names those that nothing has caught.
pub(super) fn run(results: &Path) -> Outcome<()> {
    let copy = Copy::make()?;
    let mut survivors = Vec::new();
    for test in tests() {
        // Otherwise that it fails means nothing.
        if !copy.test(test)?.status.success() {
            return Err(format!("`{test}` fails without any mutant").into());
        }
    }
    for mutant in &MUTANTS {
        let begun = Instant::now();
        let changed = copy.change(mutant)?;
        let output = copy.test(mutant.caught_by)?;
        changed.undo()?;
        if output.status.success() {
            writeln!(io::stdout(), "SURVIVED: {} was not caught by {}", mutant.name, mutant.caught_by)?;
            survivors.push(mutant.name);
            continue;
        }
        let seconds = begun.elapsed().as_secs();
        let Mutant { name, wrong, caught_by, .. } = mutant;
        writeln!(io::stdout(), "{name}: caught by {caught_by}: {}", why(&output))?;
        let line =
            json!({ "test": "mutants", "mutant": name, "wrong": wrong, "caught_by": caught_by, "seconds": seconds });
        results::append(results, &line)?;
    }
    if survivors.is_empty() { Ok(()) } else { Err(format!("not caught: {}", survivors.join(", ")).into()) }
}

/// The tests that are to catch mutants, each once.
fn tests() -> Vec<&'static str> {
    let mut tests = MUTANTS.map(|mutant| mutant.caught_by).to_vec();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// What the test says about its failure: the line behind that of the panic.
fn why(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout);
    let panicked = said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    panicked.unwrap_or("it ended").chars().take(120).collect()
}

/// A copy of the repository, built in the same target directory: other crates are not compiled again.
struct Copy {
    root: PathBuf,
}

impl Copy {
    /// Copies what git does not ignore. What is the same already is not touched, so that it is not compiled again either.
    fn make() -> Outcome<Self> {
        let root = std::path::absolute(COPY)?;
        let listed =
            Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).output()?;
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let (from, to) = (Path::new(name), root.join(name));
            // A file whose deletion is not committed yet.
            if !from.is_file() {
                continue;
            }
            let bytes = fs::read(from)?;
            if fs::read(&to).ok().is_none_or(|there| there != bytes) {
                fs::create_dir_all(to.parent().unwrap_or(&root))?;
                fs::write(&to, bytes)?;
            }
        }
        Ok(Self { root })
    }

    /// Makes a mutant of it. Every edit must fit exactly one place.
    fn change(&self, mutant: &Mutant) -> Outcome<Changed> {
        let mut changed = Changed(Vec::new());
        for Edit { file, from, to } in mutant.edits {
            let path = self.root.join(file);
            let text = fs::read_to_string(&path)?;
            if text.matches(from).count() != 1 {
                changed.undo()?;
                return Err(format!("the mutant `{}` no longer fits {file}: mend the list", mutant.name).into());
            }
            fs::write(&path, text.replace(from, to))?;
            changed.0.push((path, text));
        }
        Ok(changed)
    }

    /// Builds and runs a test. An error is a copy that does not build.
    fn test(&self, name: &str) -> Outcome<Output> {
        let binary = TestBinary { package: "sekali-store", target: "it", release: false, dir: &self.root };
        let path = binary.path_of(name)?;
        let mut command = binary.command();
        // The seed is fixed: what a test of the suite catches now and then is not caught.
        command.env(sekali_torture::SEED_VARIABLE, "1").env_remove(sekali_torture::RESULTS_VARIABLE);
        Ok(command.args(["--", "--exact", &path]).output()?)
    }
}

/// Files as they were, the last first.
struct Changed(Vec<(PathBuf, String)>);

impl Changed {
    fn undo(self) -> Outcome<()> {
        for (path, text) in self.0.into_iter().rev() {
            fs::write(path, text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_still_fits_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for mutant in &MUTANTS {
            for Edit { file, from, to } in mutant.edits {
                let text = fs::read_to_string(root.join(file)).unwrap();
                assert_eq!(text.matches(from).count(), 1, "{}: {file}: {from}", mutant.name);
                assert_ne!(from, to);
            }
        }
    }
}
