//! The long forms of the fault tests, one after the other, and what becomes of their results.
//!
//! [`plan`] says which tests there are and how long they are, [`runner`] runs them, [`mutants`] breaks the program on purpose,
//! with [`patience`] for what then hangs, [`results`] reads the lines that tests end with, [`tables`] sets them side by side, and
//! [`document`] puts the tables into docs/RELIABILITY.md.

mod document;
mod mutants;
mod patience;
mod plan;
mod results;
mod runner;
mod table;
mod tables;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::Outcome;
use results::Results;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct TortureArgs {
    /// Which tests, by name; all of them unless given
    #[arg(value_name = "TEST")]
    tests: Vec<String>,
    /// What everything random is drawn from; every test draws its own unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Time for all tests together; each begins no more cycles when its share is over
    #[arg(long)]
    minutes: Option<u64>,
    /// Where the tests' lines are appended
    #[arg(long, value_name = "FILE", default_value = "target/torture.jsonl")]
    results: PathBuf,
    /// Run nothing, and put the tables of this file into the document
    #[arg(long, value_name = "RESULTS", conflicts_with_all = ["tests", "seed", "minutes", "results"])]
    report: Option<PathBuf>,
    /// The document that the tables are put into
    #[arg(long, value_name = "FILE", default_value = document::PATH)]
    document: PathBuf,
}

/// Runs the tests and prints what came of them. An error names those that failed.
pub(crate) fn run(args: &TortureArgs) -> Outcome<()> {
    if let Some(results) = &args.report {
        let results = Results::read(results)?;
        return document::update(&args.document, &results);
    }
    let chosen = plan::choose(&args.tests)?;
    let results = begin_results(&args.results)?;
    let (mut failed, count) = (Vec::new(), chosen.len());
    let share = args.minutes.map(|minutes| Duration::from_secs(minutes * 60) / count.max(1) as u32);
    for (number, planned) in chosen.into_iter().enumerate() {
        writeln!(io::stdout(), "\n== {} ({} of {count})", planned.name, number + 1)?;
        let ran = match planned.length {
            plan::Length::Cycles(cycles) => runner::run_long(planned, cycles, args.seed, share, &results),
            plan::Length::Mutants => mutants::run(&results),
        };
        if let Err(error) = ran {
            writeln!(io::stdout(), "FAILED: {}: {error}", planned.name)?;
            failed.push(planned.name);
        }
    }
    writeln!(io::stdout(), "\n{}\nwritten: {}", tables::all(&Results::of_last_run(&results)?), results.display())?;
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// Begins a run in the file of results. Answers its absolute path, since tests run in directories of their own.
fn begin_results(path: &Path) -> Outcome<PathBuf> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let path = std::path::absolute(path)?;
    results::append_run(&path)?;
    Ok(path)
}
