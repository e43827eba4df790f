//! `sekali import`: publishes files that people bring along, and passes over what is damaged in
//! them.

use std::path::PathBuf;

use clap::Args;

use crate::cli::commands::publish::{Invalid, SendingArgs, conclude, files, send};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::input::{Format, Options};

/// Arguments of `sekali import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Importing is publishing: what is stored already counts as duplicate, so a store that has some of it gets the\n\
    rest, and after a crash, a lost connection or Ctrl-C the same command goes on.\n\n\
    Rows of which no event can be made are named (file:line; in Parquet the number of the row, in SQLite its\n\
    rowid) and passed over; the rest is imported, and the exit code is 4.\n\n\
    Examples:\n  \
    sekali import events.parquet\n  \
    sekali import dedup.db                   the database of the Python service, payloads in Python's notation included\n  \
    sekali import monday.csv tuesday.ndjson"
)]
pub(crate) struct ImportArgs {
    /// Files to import; - is standard input, for NDJSON, JSON and CSV
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How events are written down, if the name or beginning of the file does not tell
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The table of a SQLite database, if several have the columns of an event
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    sending: SendingArgs,
}

pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let options = Options { format: args.format, table: args.table, skip_bad: true, take_evidence: true };
    let sent = send(files(args.files, options)?, &args.sending, Invalid::SkipAndNameAll).await?;
    conclude(sent.ending, &sent.report, args.sending.retry_for())?;
    if sent.flaws > 0 {
        let message = "not everything was imported: what is named above was passed over, the rest is stored";
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}
