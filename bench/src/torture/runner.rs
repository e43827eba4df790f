//! Running tests by name.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sekali_torture::{CYCLES_VARIABLE, RESULTS_VARIABLE, SECONDS_VARIABLE, SEED_VARIABLE};

use super::plan::Planned;
use crate::Outcome;

/// Runs a test in its long form, in a release build, and lets it append its line to `results`.
pub(super) fn run_long(
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
pub(super) struct TestBinary<'a> {
    pub(super) package: &'a str,
    pub(super) target: &'a str,
    pub(super) release: bool,
    /// A directory in the workspace.
    pub(super) dir: &'a Path,
}

impl TestBinary<'_> {
    /// `cargo test` of it, which builds it first.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(self.dir);
        command.args(["test", "--locked", "--quiet", "--package", self.package, "--test", self.target]);
        command.args(self.release.then_some("--release"));
        command
    }

    /// The path of the one test function of this name.
    pub(super) fn path_of(&self, name: &str) -> Outcome<String> {
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
