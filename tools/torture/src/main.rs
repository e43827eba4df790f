//! Runs the fault tests in their long forms and reports their results; `scripts/torture` calls it.
//!
//! [`plan`] lists the tests and their lengths, and [`runner`] runs them. [`mutants`] breaks the
//! engine on purpose, with [`timeout`] for a test that then hangs. [`results`] reads the lines that
//! tests end with, [`tables`] formats them, and [`document`] puts the tables into
//! docs/RELIABILITY.md.

mod document;
mod mutants;
mod plan;
mod results;
mod runner;
mod tables;
mod timeout;

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use results::Results;

/// The result of a step. An error ends the run.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Run the fault tests of Sekali in their long forms.
#[derive(Debug, Parser)]
#[command(name = "scripts/torture")]
struct Cli {
    /// Names of the tests to run [default: all]
    #[arg(value_name = "TEST")]
    tests: Vec<String>,
    /// Seed of all random numbers [default: a new one for each test]
    #[arg(long)]
    seed: Option<u64>,
    /// Time for all tests together; each gets an equal share, after which it begins no cycle
    #[arg(long)]
    minutes: Option<u64>,
    /// File that the results are appended to
    #[arg(long, value_name = "FILE", default_value = "target/torture.jsonl")]
    results: PathBuf,
    /// Run nothing, and put the tables of this file of results into the document
    #[arg(long, value_name = "RESULTS", conflicts_with_all = ["tests", "seed", "minutes", "results"])]
    report: Option<PathBuf>,
    /// Document that the tables are put into
    #[arg(long, value_name = "FILE", default_value = document::PATH)]
    document: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the tests and prints their results. The error names the tests that failed.
fn run(cli: &Cli) -> Outcome<()> {
    if let Some(results) = &cli.report {
        let results = Results::read(results)?;
        return document::update(&cli.document, &results);
    }
    let chosen = plan::choose(&cli.tests)?;
    let results = begin_results(&cli.results)?;
    let (mut failed, count) = (Vec::new(), chosen.len());
    let share = cli.minutes.map(|minutes| Duration::from_secs(minutes * 60) / count.max(1) as u32);
    for (number, planned) in chosen.into_iter().enumerate() {
        writeln!(io::stdout(), "\n== {} ({} of {count})", planned.name, number + 1)?;
        let ran = match planned.length {
            plan::Length::Cycles(cycles) => runner::run_long(planned, cycles, cli.seed, share, &results),
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

/// Begins a run in the file of results. Returns its absolute path: tests run in other directories.
fn begin_results(path: &Path) -> Outcome<PathBuf> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let path = std::path::absolute(path)?;
    results::append_run(&path)?;
    Ok(path)
}
