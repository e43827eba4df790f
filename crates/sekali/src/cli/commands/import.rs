//! `sekali import`: publishes files that people bring along, and passes over what is damaged in
//! them.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::input_format::InputFormatArgs;
use crate::cli::commands::publish::{Invalid, SendingArgs, ShapeArgs, conclude, files, send};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::input::Options;

/// Arguments of `sekali import`.
#[derive(Debug, Args)]
#[command(after_help = "Importing is publishing: stored events are duplicates, so a store that has some of a \
    file gets the rest, and after a crash, a lost connection or Ctrl-C the same command goes \
    on.\n\n\
    Rows that are not events are named (file:line; in Parquet the number of the row, in \
    SQLite its rowid) and skipped; all others are imported, and the exit code is 4.\n\n\
    Examples:\n  \
    sekali import events.parquet\n  \
    sekali import monday.csv tuesday.ndjson\n  \
    sekali import --map --records Records trail.json.gz --topic trail --id eventID --timestamp eventTime\n  \
    sekali import dedup.db         the Python service's database, its payloads too")]
pub(crate) struct ImportArgs {
    /// Files to import: NDJSON, JSON, CSV, SQLite or Parquet, also compressed; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    input: InputFormatArgs,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    sending: SendingArgs,
}

pub(crate) async fn run(args: ImportArgs) -> Result<(), Failure> {
    let InputFormatArgs { format, table } = args.input;
    let options = Options { format, shape: args.shape.shape()?, table, skip_bad: true, take_evidence: true };
    let sent = send(files(args.files, options)?, &args.sending, Invalid::SkipAndNameAll).await?;
    conclude(sent.ending, &sent.report, args.sending.retry_for(), None)?;
    if sent.flaws > 0 {
        let message = "not everything was imported: what is named above was passed over, the rest is stored";
        return Err(Failure::new(Exit::Refused, message));
    }
    Ok(())
}
