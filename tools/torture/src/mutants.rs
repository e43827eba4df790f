//! The engine, broken on purpose: a test suite that cannot fail proves nothing.
//!
//! A mutant is a small edit of the sources, as someone might make it by mistake. It is made in a
//! copy of the repository, and the test that is to catch it must fail there. The product needs no
//! switches for this. An edit that no longer fits its source file fails to compile, so
//! `cargo check -p sekali-torture` checks all of them.

mod edit;
mod list;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sekali_testkit::trial::{RESULTS_VARIABLE, SEED_VARIABLE};
use serde_json::json;

use crate::runner::TestBinary;
use crate::timeout::output_within;
use crate::{Outcome, results};
use list::{MUTANTS, Mutant};

/// Directory of the copy, below the build directory, which git ignores.
const COPY: &str = "target/mutants";

/// Longest time for a test without any mutant.
const SOUND_LIMIT: Duration = Duration::from_secs(1_200);

/// Tries every mutant. The error names the mutants that survived.
pub(crate) fn run(results: &Path) -> Outcome<()> {
    let copy = Copy::make()?;
    let mut survivors = Vec::new();
    let mut limits = HashMap::new();
    for test in tests() {
        let begun = Instant::now();
        // A test that fails without any mutant catches none.
        match copy.test(test, SOUND_LIMIT)? {
            Some(output) if output.status.success() => limits.insert(test, limit(begun.elapsed())),
            Some(_) => return Err(format!("`{test}` fails without any mutant").into()),
            None => return Err(format!("`{test}` does not end without any mutant").into()),
        };
    }
    for mutant in &MUTANTS {
        let begun = Instant::now();
        let changed = copy.change(mutant)?;
        let limit = limits.get(mutant.caught_by).copied().unwrap_or(SOUND_LIMIT);
        let ran = copy.test(mutant.caught_by, limit);
        changed.undo()?;
        let Some(why) = verdict(ran?.as_ref(), limit) else {
            writeln!(io::stdout(), "SURVIVED: {} was not caught by {}", mutant.name, mutant.caught_by)?;
            survivors.push(mutant.name);
            continue;
        };
        let seconds = begun.elapsed().as_secs();
        let Mutant { name, wrong, caught_by, .. } = mutant;
        writeln!(io::stdout(), "{name}: caught by {caught_by}: {why}")?;
        let line =
            json!({ "test": "mutants", "mutant": name, "wrong": wrong, "caught_by": caught_by, "seconds": seconds });
        results::append(results, &line)?;
    }
    if survivors.is_empty() { Ok(()) } else { Err(format!("not caught: {}", survivors.join(", ")).into()) }
}

/// Returns the tests that are to catch mutants, each once.
fn tests() -> Vec<&'static str> {
    let mut tests = MUTANTS.map(|mutant| mutant.caught_by).to_vec();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// Returns the time limit of a test with a mutant: a multiple of its time without, since the
/// machine may be busy.
fn limit(sound: Duration) -> Duration {
    (10 * sound).max(Duration::from_secs(120))
}

/// Returns how the test caught the mutant, or `None` if it passed. The message is the line after
/// that of the panic. A test that hangs has caught the mutant too.
fn verdict(ran: Option<&Output>, limit: Duration) -> Option<String> {
    let Some(output) = ran else { return Some(format!("it hangs: not ended after {} s", limit.as_secs())) };
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let panicked = said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    Some(panicked.unwrap_or("it ended").chars().take(120).collect())
}

/// A copy of the repository with a target directory of its own.
struct Copy {
    root: PathBuf,
}

impl Copy {
    /// Copies all files that git does not ignore. Files that have not changed keep their times and
    /// are not compiled again.
    fn make() -> Outcome<Self> {
        let root = std::path::absolute(COPY)?;
        let listed =
            Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).output()?;
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let (from, to) = (Path::new(name), root.join(name));
            // Git still lists a file whose deletion is not committed.
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

    /// Applies the edits of a mutant.
    fn change(&self, mutant: &Mutant) -> Outcome<Changed> {
        let mut changed = Changed(Vec::new());
        for (file, text) in edited(&self.root, mutant)? {
            let path = self.root.join(file);
            changed.0.push((path.clone(), fs::read_to_string(&path)?));
            fs::write(path, text)?;
        }
        Ok(changed)
    }

    /// Builds and runs a test. Returns `None` if it runs for longer than `limit`. A copy that does
    /// not build is an error.
    fn test(&self, name: &str, limit: Duration) -> Outcome<Option<Output>> {
        let binary = TestBinary { package: "sekali-store", target: "it", release: false, dir: &self.root };
        let path = binary.path_of(name)?;
        let mut command = binary.command();
        // With a fixed seed: a mutant that is caught now and then counts as not caught.
        command.env(SEED_VARIABLE, "1").env_remove(RESULTS_VARIABLE);
        output_within(command.args(["--", "--exact", &path]), limit)
    }
}

/// Returns the files below `root` that a mutant changes, with their new text. Each edit must fit
/// exactly one place in the text that the edits before it left.
fn edited(root: &Path, mutant: &Mutant) -> Outcome<HashMap<&'static str, String>> {
    let mut files = HashMap::new();
    for edit in mutant.edits {
        let text = match files.remove(edit.path) {
            Some(text) => text,
            None => fs::read_to_string(root.join(edit.path))?,
        };
        if text.matches(edit.from).count() != 1 {
            return Err(format!("the mutant `{}` no longer fits {}: mend the list", mutant.name, edit.path).into());
        }
        files.insert(edit.path, text.replace(edit.from, edit.to));
    }
    Ok(files)
}

/// Changed files, with their text before the change.
struct Changed(Vec<(PathBuf, String)>);

impl Changed {
    fn undo(self) -> Outcome<()> {
        for (path, text) in self.0 {
            fs::write(path, text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    #[test]
    fn a_mutant_is_caught_by_a_test_that_fails_or_hangs_and_not_by_one_that_passes() {
        let ended = |code: i32, said: &str| Output {
            status: ExitStatus::from_raw(code << 8),
            stdout: said.into(),
            stderr: Vec::new(),
        };
        let limit = limit(Duration::from_secs(20));
        assert_eq!(verdict(Some(&ended(0, "ok")), limit), None);
        let failed = ended(101, "1 test\nthread 'x' panicked at y.rs:3:\nan event is lost\nmore");
        assert_eq!(verdict(Some(&failed), limit).unwrap(), "an event is lost");
        assert_eq!(verdict(None, limit).unwrap(), "it hangs: not ended after 200 s");
    }

    #[test]
    fn every_mutant_changes_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for mutant in &MUTANTS {
            for (file, text) in edited(&root, mutant).unwrap() {
                assert_ne!(text, fs::read_to_string(root.join(file)).unwrap(), "{}", mutant.name);
            }
        }
    }
}
