//! The command line.
//!
//! - `commands`: one file per command; `args`: groups of options that commands share
//! - `term`: output, progress, signals, the log and the help
//! - `activation`: sockets from a supervisor
//! - `answer`: answers of a server; `local_server`: a server inside this process
//! - `exit`, `failure`: how a command ends
//! - `container_user`: in a container, the change from root to the owner of the data

mod activation;
mod answer;
mod args;
mod commands;
mod container_user;
mod exit;
mod failure;
mod local_server;
mod term;

pub use exit::Exit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::commands::{
    backup, bench, completions, conflicts, count, demo, events, export, fields, health, import, keys, man, publish,
    restore, serve, sql, stats, tail, verify,
};
use self::failure::Failure;
use self::term::color::ColorChoice;
use self::term::{color, output, usage};
use sekali_wire::escape::escape;

/// The version, with commit and date in a build of `scripts/release`.
const VERSION: &str = match option_env!("SEKALI_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// Log and event aggregator that stores every event exactly once.
#[derive(Debug, Parser)]
#[command(name = "sekali", version = VERSION, propagate_version = true)]
pub(crate) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Colours: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    #[arg(hide_possible_values = true, help_heading = usage::GENERAL, display_order = 900)]
    color: ColorChoice,
}

/// The commands. `usage` groups them for the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(serve::ServeArgs),
    /// Publish events from files, standard input or a generator
    Publish(publish::PublishArgs),
    /// Start a server, publish 5,000 events, show what becomes of them
    Demo(demo::DemoArgs),
    /// Read stored events
    Events(events::EventsArgs),
    /// Show events as they are stored
    Tail(tail::TailArgs),
    /// Count stored events, by fields or over time
    Count(count::CountArgs),
    /// List the fields of events, with their most frequent values
    Fields(fields::FieldsArgs),
    /// Show events that came again with other content
    Conflicts(conflicts::ConflictsArgs),
    /// Run a statement of SQL over stored events
    Sql(sql::SqlArgs),
    /// Write stored events to a file: NDJSON, CSV, SQLite or Parquet
    Export(export::ExportArgs),
    /// Publish the events of files, and skip what is damaged
    Import(import::ImportArgs),
    /// Show a server's counters and topics, or sum up a number of events
    Stats(stats::StatsArgs),
    /// Measure how fast a server accepts events
    Bench(bench::BenchArgs),
    /// Check a whole store, even while a server uses it
    Verify(verify::VerifyArgs),
    /// Copy a store, even while a server uses it
    Backup(backup::BackupArgs),
    /// Make a store from a backup, and check it
    Restore(restore::RestoreArgs),
    /// Create, list and revoke the API keys of clients
    Keys(keys::KeysArgs),
    /// Ask whether a server is ready; for health checks
    Health(health::HealthArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Write manual pages to a directory
    Man(man::ManArgs),
}

impl Command {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(args) => serve::run(args).await,
            Self::Publish(args) => publish::run(args).await,
            Self::Demo(args) => demo::run(args).await,
            Self::Events(args) => events::run(args).await,
            Self::Tail(args) => tail::run(args).await,
            Self::Count(args) => count::run(args).await,
            Self::Sql(args) => sql::run(args).await,
            Self::Fields(args) => fields::run(args).await,
            Self::Conflicts(args) => conflicts::run(args).await,
            Self::Export(args) => export::run(args).await,
            Self::Import(args) => import::run(args).await,
            Self::Stats(args) => stats::run(args).await,
            Self::Bench(args) => bench::run(args).await,
            Self::Verify(args) => verify::run(args).await,
            Self::Backup(args) => backup::run(args).await,
            Self::Restore(args) => restore::run(args).await,
            Self::Keys(args) => keys::run(args).await,
            Self::Health(args) => health::run(args).await,
            Self::Completions(args) => completions::run(args).await,
            Self::Man(args) => man::run(args).await,
        }
    }
}

/// Runs the command of this process. Returns the exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let result = match usage::parse(&arguments) {
        Ok(cli) => {
            color::choose(cli.color);
            container_user::take_on().and_then(|()| run(cli.command))
        }
        Err(error) => usage::explain(&error, &arguments),
    };
    match result {
        Ok(()) => Exit::Success.into(),
        Err(Failure { exit, message }) => {
            if let Some(message) = message {
                // One line, whatever is quoted in it.
                output::note(format_args!("sekali: {}", escape(&message)));
            }
            exit.into()
        }
    }
}

fn run(mut command: Command) -> Result<(), Failure> {
    if let Command::Serve(args) = &mut command {
        // Before there are threads: the variables that name the sockets are removed.
        args.inherit(activation::sockets()?);
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(command.run());
    // A thread that waits for standard input must not keep the process.
    runtime.shutdown_background();
    result
}
