//! Running tests by name.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sekali_testkit::trial::{CYCLES_VARIABLE, RESULTS_VARIABLE, SECONDS_VARIABLE, SEED_VARIABLE};

use crate::Outcome;
use crate::plan::Planned;

/// Runs a release build of a test in its long form. The test appends its line to `results`.
pub(crate) fn run_long(
    planned: &Planned,
    cycles: u64,
    seed: Option<u64>,
    time: Option<Duration>,
    results: &Path,
) -> Outcome<()> {
    let binary = TestBinary { package: planned.package, target: planned.target, release: true, dir: Path::new(".") };
    let mut variables = HashMap::from([(CYCLES_VARIABLE, cycles.to_string())]);
    variables.insert(RESULTS_VARIABLE, results.display().to_string());
    variables.extend(seed.map(|seed| (SEED_VARIABLE, seed.to_string())));
    variables.extend(time.map(|time| (SECONDS_VARIABLE, time.as_secs().to_string())));
    let path = binary.path_of(planned.name)?;
    let mut command = binary.command();
    command.args(["--", "--exact", &path, "--nocapture"]).envs(variables);
    if command.status()?.success() { Ok(()) } else { Err("see above".into()) }
}

/// A test binary of a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestBinary<'a> {
    pub(crate) package: &'a str,
    pub(crate) target: &'a str,
    pub(crate) release: bool,
    /// Root of the repository.
    pub(crate) dir: &'a Path,
}

impl TestBinary<'_> {
    /// Returns the `cargo test` command that builds and runs it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(self.dir);
        command.args(["test", "--locked", "--quiet", "--package", self.package, "--test", self.target]);
        command.args(self.release.then_some("--release"));
        command
    }

    /// Builds it and returns the path of its one test function of this name.
    pub(crate) fn path_of(&self, name: &str) -> Outcome<String> {
        let output = self.command().args(["--", "--list"]).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`{}` does not build: {said}", self.target).into());
        }
        let listed = String::from_utf8(output.stdout)?;
        let paths: Vec<_> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
        match paths.iter().filter(|path| path.rsplit("::").next() == Some(name)).collect::<Vec<_>>()[..] {
            [path] => Ok((*path).to_owned()),
            ref found => Err(format!("`{}` has {} tests named `{name}`", self.target, found.len()).into()),
        }
    }
}
