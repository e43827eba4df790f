//! Sekali beside other stores and beside the limits of this machine, measured in one run.
//! `bench/compare/README.md` says how.
//!
//! [`peers`] has one file for each peer, behind the two traits of [`peer`]. [`rounds`] measures
//! them in turn and [`results`] writes the results. [`servers`] are bare servers that run as
//! subprocesses of this program.

mod closed_loop;
mod disk;
mod http;
mod peer;
mod peers;
mod place;
mod process;
mod results;
mod rounds;
mod servers;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The result of a step. An error ends the run and is reported.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measure Sekali beside other stores. Times of a debug build mean nothing.
#[derive(Debug, Parser)]
#[command(name = "sekali-compare", subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    run: rounds::RunArgs,
    #[command(subcommand)]
    server: Option<Server>,
}

/// The servers that this program starts as subprocesses of itself.
#[derive(Debug, Subcommand)]
enum Server {
    /// The least a durable server must do
    #[command(hide = true)]
    ServeFloor {
        #[arg(long)]
        data_dir: PathBuf,
    },
    /// The least an HTTP server must do
    #[command(hide = true)]
    ServeHandler,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.server {
        None => rounds::run(&cli.run),
        Some(Server::ServeFloor { data_dir }) => servers::floor::serve(&data_dir),
        Some(Server::ServeHandler) => servers::handler::serve(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Progress goes to standard error, so that standard output is free for a server's address.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
