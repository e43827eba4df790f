//! Named sets of measurements: every program in a process of its own, several times, with medians
//! reported.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use sekali_testkit::numbers;
use sekali_testkit::{Machine, Table};
use serde::Serialize;

use crate::Outcome;
use crate::figures::Report;

/// Options of a set.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The set
    set: Set,
    /// Runs of each program, of which the median counts [default: 3; 1 from 100 million events or
    /// 100 seconds on]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: Option<u32>,
    /// Directory for temporary data, on the disk to be measured
    #[arg(long, value_name = "DIR", default_value = "target")]
    scratch_dir: PathBuf,
    /// Directory for the results, as Markdown and as JSON
    #[arg(long, value_name = "DIR", default_value = "bench/results")]
    results_dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Set {
    /// Store, reads and index at 1 and 10 million: ten minutes, 9 GB
    Quick,
    /// The same and 100 million: an hour, 35 GB
    Full,
    /// A server with 1, 10 and 30 million: a quarter of an hour, 20 GB
    Served,
    /// A server under full load for one minute and for ten: a quarter of an hour, 50 GB
    Sustained,
    /// The index alone at a billion ids: an hour, 65 GB
    Billion,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Served => "served",
            Self::Sustained => "sustained",
            Self::Billion => "billion",
        }
    }

    /// Sizes at which each program runs.
    fn programs(self) -> &'static [(Program, &'static [u64])] {
        match self {
            Self::Quick => &[
                (Program::Store, &[MILLION, 10 * MILLION]),
                (Program::Reads, &[MILLION, 10 * MILLION]),
                (Program::Index, &[MILLION, 10 * MILLION]),
            ],
            Self::Full => &[
                (Program::Store, &[MILLION, 10 * MILLION, 100 * MILLION]),
                (Program::Reads, &[MILLION, 10 * MILLION]),
                (Program::Index, &[MILLION, 10 * MILLION, 100 * MILLION]),
            ],
            Self::Served => &[(Program::Served, &[MILLION, 10 * MILLION, 30 * MILLION])],
            Self::Sustained => &[(Program::Sustained, &[60, 600])],
            Self::Billion => &[(Program::Index, &[MILLION, 1_000 * MILLION])],
        }
    }
}

const MILLION: u64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
enum Program {
    Store,
    Reads,
    Served,
    Sustained,
    Index,
}

impl Program {
    /// Its default number of runs: a program that takes minutes runs once.
    fn runs(self, size: u64) -> u32 {
        let long = match self {
            Self::Sustained => 100,
            Self::Store | Self::Reads | Self::Served | Self::Index => 100 * MILLION,
        };
        if size < long { 3 } else { 1 }
    }

    fn arguments(self, size: u64) -> [String; 2] {
        match self {
            Self::Store => ["store".to_owned(), format!("--events={size}")],
            Self::Reads => ["reads".to_owned(), format!("--events={size}")],
            Self::Served => ["served".to_owned(), format!("--events={size}")],
            Self::Sustained => ["sustained".to_owned(), format!("--seconds={size}")],
            Self::Index => ["index".to_owned(), format!("--ids={size}")],
        }
    }
}

/// All results of a program at one size.
#[derive(Debug, Serialize)]
struct Measured {
    size: u64,
    median: Report,
    runs: Vec<Report>,
}

#[derive(Debug, Serialize)]
struct Results {
    set: &'static str,
    machine: Machine,
    /// By program, then by size.
    programs: Vec<Vec<Measured>>,
}

/// Runs a set and writes its results.
pub(crate) fn run(args: &RunArgs) -> Outcome<()> {
    fs::create_dir_all(&args.scratch_dir)?;
    fs::create_dir_all(&args.results_dir)?;
    let machine = Machine::describe(&args.scratch_dir);
    let measure_all = |(program, sizes): &(Program, &[u64])| {
        sizes.iter().map(|&size| measure(*program, size, args)).collect::<Outcome<Vec<_>>>()
    };
    let programs = args.set.programs().iter().map(measure_all).collect::<Outcome<_>>()?;
    let results = Results { set: args.set.name(), machine, programs };
    let path = args.results_dir.join(results.set);
    fs::write(path.with_extension("json"), serde_json::to_string_pretty(&results)? + "\n")?;
    fs::write(path.with_extension("md"), results.to_markdown())?;
    Ok(writeln!(io::stdout(), "written: {}", path.with_extension("md").display())?)
}

fn measure(program: Program, size: u64, args: &RunArgs) -> Outcome<Measured> {
    let count = args.runs.unwrap_or(program.runs(size));
    let mut runs = Vec::new();
    for _ in 0..count {
        let report = run_once(program, size, &args.scratch_dir)?;
        writeln!(io::stdout(), "{}\n", report.to_text())?;
        runs.push(report);
    }
    let median = Report::median(&runs).ok_or("nothing was run")?;
    Ok(Measured { size, median, runs })
}

fn run_once(program: Program, size: u64, scratch_dir: &Path) -> Outcome<Report> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(program.arguments(size)).arg("--json").arg("--scratch-dir").arg(scratch_dir);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{program:?} at {size} has failed; see above").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Results {
    fn to_markdown(&self) -> String {
        let mut text = format!("# Results of `bench/run {}`\n\n{}.\n", self.set, self.machine.to_text());
        self.programs.iter().for_each(|sizes| text.push_str(&table(sizes)));
        text
    }
}

/// The figures of one program: a column for each size, and the last beside the first.
fn table(sizes: &[Measured]) -> String {
    let [first, .., last] = sizes else { return String::new() };
    let titles =
        sizes.iter().map(|measured| format!("- {}; median of {}\n", measured.median.title, measured.runs.len()));
    let head = sizes.iter().map(|measured| numbers::figure(measured.size as f64));
    let mut table =
        Table::new(["figure".to_owned()].into_iter().chain(head).chain(["unit", "last / first"].map(str::to_owned)));
    for figure in &last.median.figures {
        let values =
            sizes.iter().map(|measured| measured.median.get(&figure.name).map(numbers::figure).unwrap_or_default());
        let first = first.median.get(&figure.name).filter(|first| *first > 0.0);
        let ratio = first.map(|first| numbers::figure(figure.value / first)).unwrap_or_default();
        table.add([figure.name.clone()].into_iter().chain(values).chain([figure.unit.clone(), ratio]));
    }
    format!("\n{}\n{}", titles.collect::<String>(), table.to_markdown())
}
