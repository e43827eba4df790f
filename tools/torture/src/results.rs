//! Files of results: a line for each run, with its commit and machine, followed by a line for each
//! test that has passed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use sekali_testkit::Machine;
use serde_json::{Map, Value, json};

use crate::Outcome;

/// One line of results.
pub(crate) type Line = Map<String, Value>;

/// The content of a file of results.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Results {
    /// Lines of runs, with `commit` and `machine`.
    pub(crate) runs: Vec<Line>,
    /// Lines of tests other than mutants.
    pub(crate) tests: Vec<Line>,
    /// Lines of mutants.
    pub(crate) mutants: Vec<Line>,
}

/// Appends the line of a new run.
pub(crate) fn append_run(path: &Path) -> Outcome<()> {
    let machine = Machine::describe(&std::env::temp_dir()).to_text();
    append(path, &json!({ "commit": commit()?, "machine": machine }))
}

/// Appends a line.
pub(crate) fn append(path: &Path, line: &Value) -> Outcome<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(format!("{line}\n").as_bytes())?)
}

/// Returns the current commit, marked if the work tree differs from it.
fn commit() -> Outcome<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Results {
    /// Reads a file of results.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text)
    }

    /// Reads the lines of the last run.
    pub(crate) fn of_last_run(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path)?;
        let last = text.rfind("{\"commit\"").unwrap_or(0);
        Self::parse(text.get(last..).unwrap_or_default())
    }

    /// Parses the text of a file of results.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let mut results = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_str(line)?;
            let of_its_kind = match (line.contains_key("commit"), line.contains_key("mutant")) {
                (true, _) => &mut results.runs,
                (_, true) => &mut results.mutants,
                _ => &mut results.tests,
            };
            of_its_kind.push(line);
        }
        Ok(results)
    }
}
