//! Files of results: a line for each run with its commit and machine, and behind it a line for each test that has passed.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::measure::Machine;

/// A line: an object.
pub(super) type Line = Map<String, Value>;

/// What a file of results says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Results {
    /// Of runs: `commit` and `machine`.
    pub(super) runs: Vec<Line>,
    /// Of tests, but for mutants.
    pub(super) tests: Vec<Line>,
    /// Of mutants.
    pub(super) mutants: Vec<Line>,
}

/// Appends the line of a run that begins.
pub(super) fn append_run(path: &Path) -> Outcome<()> {
    let machine = Machine::describe(&std::env::temp_dir()).to_text();
    append(path, &json!({ "commit": commit()?, "machine": machine }))
}

/// Appends a line.
pub(super) fn append(path: &Path, line: &Value) -> Outcome<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(format!("{line}\n").as_bytes())?)
}

/// The commit that is checked out, and whether anything differs from it.
fn commit() -> Outcome<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Results {
    /// Reads a file of results.
    pub(super) fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text)
    }

    /// Reads what the last run has appended.
    pub(super) fn of_last_run(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path)?;
        let last = text.rfind("{\"commit\"").unwrap_or(0);
        Self::parse(text.get(last..).unwrap_or_default())
    }

    pub(super) fn parse(text: &str) -> Outcome<Self> {
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
