//! The program, broken on purpose in a copy: a suite that finds nothing wrong with it proves nothing.
//!
//! Each mutant is a small change to the sources, as someone might make it by mistake. It is made in a copy of the repository, which
//! is then built, and the test that is to catch it must fail. So the product has no switches for this, the suite is
//! tried as it is, and a change that no longer fits the sources is an error.

mod list;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::json;

use super::patience::output_within;
use super::results;
use super::runner::TestBinary;
use crate::Outcome;
use list::{Edit, MUTANTS, Mutant};

/// Where the copy is. Below the build directory, which git ignores.
const COPY: &str = "target/mutants";

/// How long a test may take without any mutant.
const SOUND_LIMIT: Duration = Duration::from_secs(1_200);

/// Tries every mutant. An error names those that nothing has caught.
pub(super) fn run(results: &Path) -> Outcome<()> {
    let copy = Copy::make()?;
    let mut survivors = Vec::new();
    let mut limits = HashMap::new();
    for test in tests() {
        let begun = Instant::now();
        // Otherwise that it fails means nothing.
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

/// The tests that are to catch mutants, each once.
fn tests() -> Vec<&'static str> {
    let mut tests = MUTANTS.map(|mutant| mutant.caught_by).to_vec();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// How long a test may take with a mutant that takes this long without: a multiple, since the machine may be busy.
fn limit(sound: Duration) -> Duration {
    (10 * sound).max(Duration::from_secs(120))
}

/// How the test has caught the mutant; `None` if it has not. What the test says about its failure is the line behind that
/// of the panic. One that does not end has caught it too: nobody takes a run that hangs for one that has passed.
fn verdict(ran: Option<&Output>, limit: Duration) -> Option<String> {
    let Some(output) = ran else { return Some(format!("it hangs: not ended after {} s", limit.as_secs())) };
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let panicked = said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    Some(panicked.unwrap_or("it ended").chars().take(120).collect())
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

    /// Makes a mutant of it.
    fn change(&self, mutant: &Mutant) -> Outcome<Changed> {
        let mut changed = Changed(Vec::new());
        for (file, text) in edited(&self.root, mutant)? {
            let path = self.root.join(file);
            changed.0.push((path.clone(), fs::read_to_string(&path)?));
            fs::write(path, text)?;
        }
        Ok(changed)
    }

    /// Builds and runs a test; `None` if it runs for longer than `limit`. An error is a copy that does not build.
    fn test(&self, name: &str, limit: Duration) -> Outcome<Option<Output>> {
        let binary = TestBinary { package: "sekali-store", target: "it", release: false, dir: &self.root };
        let path = binary.path_of(name)?;
        let mut command = binary.command();
        // The seed is fixed: what a test of the suite catches now and then is not caught.
        command.env(sekali_torture::SEED_VARIABLE, "1").env_remove(sekali_torture::RESULTS_VARIABLE);
        output_within(command.args(["--", "--exact", &path]), limit)
    }
}

/// The files below `root` that a mutant changes, as it makes them. Each edit, after those before it, must fit exactly one place.
fn edited(root: &Path, mutant: &Mutant) -> Outcome<HashMap<&'static str, String>> {
    let mut files = HashMap::new();
    for Edit { file, from, to } in mutant.edits {
        let text = match files.remove(file) {
            Some(text) => text,
            None => fs::read_to_string(root.join(file))?,
        };
        if text.matches(from).count() != 1 {
            return Err(format!("the mutant `{}` no longer fits {file}: mend the list", mutant.name).into());
        }
        files.insert(*file, text.replace(from, to));
    }
    Ok(files)
}

/// Files as they were.
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
    fn every_mutant_still_fits_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for mutant in &MUTANTS {
            for (file, text) in edited(&root, mutant).unwrap() {
                assert_ne!(text, fs::read_to_string(root.join(file)).unwrap(), "{}", mutant.name);
            }
        }
    }
}
