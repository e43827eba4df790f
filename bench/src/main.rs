//! Measuring programs of the engine. `bench/README.md` describes each.
//!
//! [`index`] fills the dedup index alone, [`store`] a whole store; [`reads`] reads from one, and
//! [`served`] from a server that has one; [`sustained`] publishes to a server for minutes. All
//! return a [`figures::Report`]. [`sets`] runs them several times, each in a process of its own,
//! and writes the medians. [`measure`] has their common parts.

mod figures;
mod index;
mod measure;
mod reads;
mod served;
mod serving;
mod sets;
mod store;
mod sustained;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use figures::Report;

/// The result of a program. Any error ends it.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measuring programs of the engine of Sekali. Times of a debug build mean nothing.
#[derive(Debug, Parser)]
#[command(name = "sekali-bench")]
struct Cli {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    /// Fill the dedup index alone
    Index(Measure<index::IndexSpec>),
    /// Fill a store, kill the process that did, and open it again
    Store(Measure<store::StoreSpec>),
    /// Read from a sealed store, and from SQLite
    Reads(Measure<reads::ReadsSpec>),
    /// Read from a server with a sealed store, and export from it
    Served(Measure<served::ServedSpec>),
    /// Publish to a server at full speed for minutes
    Sustained(Measure<sustained::SustainedSpec>),
    /// Run a set of these and write the medians to bench/results/
    Run(sets::RunArgs),
    /// Fill a store, report, and wait to be killed; `store` runs this in a process of its own
    #[command(hide = true)]
    Fill(FillArgs),
}

/// Options of every measuring program.
#[derive(Debug, Args)]
struct Measure<S: Args> {
    #[command(flatten)]
    spec: S,
    /// Directory for temporary data, on the disk to be measured
    #[arg(long, value_name = "DIR", default_value = ".")]
    scratch_dir: PathBuf,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct FillArgs {
    #[command(flatten)]
    spec: store::StoreSpec,
    #[arg(long)]
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse().program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "sekali-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(program: Program) -> Outcome<()> {
    match program {
        Program::Index(measure) => print(&index::run(&measure.spec, &measure.scratch_dir)?, measure.json),
        Program::Store(measure) => print(&store::run(&measure.spec, &measure.scratch_dir)?, measure.json),
        Program::Reads(measure) => print(&reads::run(&measure.spec, &measure.scratch_dir)?, measure.json),
        Program::Served(measure) => print(&served::run(&measure.spec, &measure.scratch_dir)?, measure.json),
        Program::Sustained(measure) => print(&sustained::run(&measure.spec, &measure.scratch_dir)?, measure.json),
        Program::Run(args) => sets::run(&args),
        Program::Fill(args) => {
            print(&store::fill(&args.spec, &args.dir)?, true)?;
            // The parent kills this process here. If the parent is gone, standard input ends.
            io::copy(&mut io::stdin(), &mut io::sink())?;
            Ok(())
        }
    }
}

fn print(report: &Report, json: bool) -> Outcome<()> {
    let text = if json { serde_json::to_string(report)? } else { report.to_text() };
    Ok(writeln!(io::stdout(), "{text}")?)
}
