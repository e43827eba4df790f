//! `sekali sql`: runs a statement over stored events, by a server or on a data directory.

mod table;

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use sekali_server::access::Grant;
use sekali_server::ingest::CONTENT_RULES;
use sekali_server::limits::SQL_TEXT_BYTES_MAX;
use sekali_server::sql::{self, SqlError, SqlFormat, SqlStatement, SqlView};
use sekali_store::{Partition, StoreOptions};
use sekali_wire::timestamp::parse_length;

use self::table::TableAnswer;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use crate::digits::grouped;

/// Arguments of `sekali sql`.
#[derive(Debug, Args)]
#[command(
    after_help = "One statement that reads, in the SQL of SQLite. Tables are events (topic, event_id, timestamp, \
    source, payload, seq, received_at, partition), conflicts (the same columns) and topics. A terminal gets a table, \
    a pipe or file a line of JSON for each row.\n\n\
    Examples:\n  \
    sekali sql \"SELECT topic, count(*) FROM events GROUP BY topic\"\n  \
    sekali sql \"SELECT source, percentile(payload ->> 'ms', 99) FROM events\n              \
    WHERE topic = 'web.access' AND timestamp >= '2025-10-24 21:00' GROUP BY source\"\n  \
    sekali sql --csv < statement.sql > rows.csv\n  \
    sekali sql --data-dir ./sekali-data \"SELECT max(seq) FROM events\"    needs no server"
)]
pub(crate) struct SqlArgs {
    /// The statement; standard input where there is none, or a `-`
    statement: Option<String>,
    /// Read this data directory as it is at this moment, even while a server uses it
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Longest time that it may take, up to 60s [default: 10s; no limit with --data-dir]
    #[arg(long, value_name = "TIME")]
    within: Option<String>,
    /// Print one JSON object with columns and rows: the server's answer to POST /sql
    #[arg(long)]
    json: bool,
    /// Print CSV for a spreadsheet; cells that look like formulas get an apostrophe in front
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: SqlArgs) -> Result<(), Failure> {
    let SqlArgs { statement, data_dir, within, json, csv, server } = args;
    let statement = match statement.filter(|statement| statement != "-") {
        Some(statement) => statement,
        None => read_statement()?,
    };
    let mut output = Output::stdout();
    let is_table = output.is_terminal() && !json && !csv;
    let format = match (json || is_table, csv) {
        (true, _) => SqlFormat::Json,
        (_, true) => SqlFormat::Csv,
        _ => SqlFormat::Ndjson,
    };
    let answer = match data_dir {
        Some(data_dir) => {
            let within = within.as_deref().map(length).transpose()?;
            let read = move || read_directory(&data_dir, statement, format, within.unwrap_or(Duration::MAX));
            let read = tokio::task::spawn_blocking(read).await;
            read.map_err(|error| Failure::new(Exit::Failed, error.to_string()))??
        }
        None => server.client()?.sql(statement, name(format), within.as_deref()).await?.to_vec(),
    };
    if is_table {
        let answer = TableAnswer::parse(&answer)?;
        answer.lines(output.columns(), output.paint()).iter().try_for_each(|line| output.line(line))?;
        output.flush()?;
        note(answer.summary());
        return Ok(());
    }
    output.text(&answer)?;
    output.flush()
}

fn name(format: SqlFormat) -> &'static str {
    match format {
        SqlFormat::Json => "json",
        SqlFormat::Ndjson => "ndjson",
        SqlFormat::Csv => "csv",
    }
}

/// The statement on standard input.
fn read_statement() -> Result<String, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::new(Exit::Usage, "there is no statement: give one in quotes, or on standard input"));
    }
    let mut text = String::new();
    let read = stdin.lock().take(SQL_TEXT_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::Failed, format!("cannot read the statement: {error}")))?;
    if text.len() > SQL_TEXT_BYTES_MAX {
        let most = grouped(SQL_TEXT_BYTES_MAX as u64);
        return Err(Failure::new(Exit::Refused, format!("the statement is longer than {most} bytes")));
    }
    Ok(text)
}

fn length(text: &str) -> Result<Duration, Failure> {
    let ns = parse_length(text).and_then(|ns| u64::try_from(ns).ok());
    ns.map(Duration::from_nanos).ok_or_else(|| Failure::new(Exit::Usage, "--within: write it like 30s or 5m"))
}

/// Runs a statement on a store that may be in use.
fn read_directory(dir: &Path, text: String, format: SqlFormat, within: Duration) -> Result<Vec<u8>, Failure> {
    let partitions = StoreOptions::new().rules(CONTENT_RULES).open_frozen(dir)?.into_partitions();
    let readers: Vec<_> = partitions.iter().map(Partition::reader).collect();
    let statement = SqlStatement { text, parameters: Vec::new(), format, within };
    let answer = sql::run(&readers, &SqlView::of(&Grant::Everything), &statement, None);
    let answer = answer.map_err(|error| {
        let exit = if matches!(error, SqlError::Query(_)) { Exit::Failed } else { Exit::Refused };
        Failure::new(exit, error.to_string())
    })?;
    Ok(answer.text)
}
