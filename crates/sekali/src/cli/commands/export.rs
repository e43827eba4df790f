//! `sekali export`: writes stored events to a file of their own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;
use serde_json::json;

use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use crate::cli::term::progress_bar::{ProgressLine, pace};
use crate::cli::term::signals::Signals;
use crate::cli::term::waiting::patiently;
use crate::digits::grouped;
use crate::export::{Destination, ExportError, Exporter, OutputFormat, Written};
use sekali_client::{Client, ClientError, EventStream, EventsFilter, RetryPolicy};

/// How long the beginning of an export is retried.
const RETRY_FOR: Duration = Duration::from_secs(30);
/// How long to wait for the number of events: the export does not need it.
const COUNT_PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `sekali export`.
#[derive(Debug, Args)]
#[command(after_help = "An export has the events that are stored when it begins, oldest first. A file gets its \
    name once it is complete and on disk, so that a broken export never looks whole. sekali \
    import reads every format back. Times have nine digits after the second, so that they \
    sort as text.\n\n\
    CSV: a cell that a spreadsheet would run as a formula (it begins with = + - @, a tab or \
    a carriage return, or looks treated already) gets an apostrophe in front, which \
    importing removes.\n\n\
    Examples:\n  \
    sekali export -o events.parquet\n  \
    sekali export --topic web.access -o access.csv\n  \
    sekali export | gzip > events.ndjson.gz")]
pub(crate) struct ExportArgs {
    /// File to write; - is standard output, for NDJSON and CSV
    #[arg(long, short, value_name = "FILE", default_value = "-", hide_default_value = true)]
    output: PathBuf,
    /// OutputFormat, if the name of the file does not tell; NDJSON on standard output
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Add the evidence of conflicts with these events; importing restores it
    #[arg(long)]
    with_conflicts: bool,
    /// Print the result as one JSON object, if the events go to a file
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Show no progress
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: ExportArgs) -> Result<(), Failure> {
    let (destination, format) = destination(&args)?;
    let client = args.server.client()?;
    let signals = Signals::catch()?.first();
    tokio::pin!(signals);
    let filter = EventsFilter::from(args.filter);
    let policy = RetryPolicy::lasting(RETRY_FOR);
    let stream = tokio::select! {
        stream = patiently(policy, args.quiet, || client.stream(&filter)) => stream?,
        () = &mut signals => return Err(interrupted()),
    };
    let exporter = Exporter::start(&destination, format)?;
    let length = if args.quiet { None } else { expected(&client, &filter).await };
    let mut gauge = ProgressLine::new(length, args.quiet);
    let started = Instant::now();
    let evidence = args.with_conflicts.then(|| filter.of_evidence()).flatten();
    let copied = tokio::select! {
        copied = copy_all(stream, evidence, &client, &exporter, &mut gauge, started) => copied,
        () = &mut signals => Err(interrupted()),
    };
    let written = match copied {
        Ok(()) => exporter.finish().await.map_err(Failure::from),
        Err(failure) => {
            // There is nothing to clean up behind standard output, and whoever reads it may keep us
            // waiting.
            if destination != Destination::Stdout {
                exporter.abandon().await;
            }
            Err(failure)
        }
    };
    gauge.finish();
    tell(args.json, args.quiet, &destination, written?, started.elapsed())?;
    if !args.quiet && !args.with_conflicts && filter == EventsFilter::default() {
        tell_of_conflicts(&client).await;
    }
    Ok(())
}

/// Copies the events, and behind them the evidence, if it is wanted.
async fn copy_all(
    events: EventStream,
    evidence: Option<EventsFilter>,
    client: &Client,
    exporter: &Exporter,
    gauge: &mut ProgressLine,
    started: Instant,
) -> Result<(), Failure> {
    let copied = copy(events, exporter, gauge, started, 0).await?;
    if let Some(filter) = evidence {
        let evidence = client.stream(&filter).await.map_err(broken_off)?;
        copy(evidence, exporter, gauge, started, copied).await?;
    }
    Ok(())
}

/// Says that there is evidence which was not exported. Where that cannot be known nothing is said.
async fn tell_of_conflicts(client: &Client) {
    let Some(filter) = EventsFilter::default().of_evidence() else { return };
    if let Some(conflicts) = count(client, &filter).await.filter(|&conflicts| conflicts > 0) {
        let were = if conflicts == 1 { "conflict was" } else { "conflicts were" };
        note(format_args!("{} {were} not exported: --with-conflicts takes them along", grouped(conflicts)));
    }
}

/// Hands on everything that comes. A failure to write ends it early, and is told when the export is
/// finished.
async fn copy(
    mut stream: EventStream,
    exporter: &Exporter,
    gauge: &mut ProgressLine,
    started: Instant,
    before: u64,
) -> Result<u64, Failure> {
    let mut events = before;
    while let Some(text) = stream.next().await.map_err(broken_off)? {
        events += text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        if !exporter.push(text).await {
            break;
        }
        gauge.show(events, || pace(events, started.elapsed()));
    }
    Ok(events)
}

/// How many events there will be, where the server knows that without reading them.
async fn expected(client: &Client, filter: &EventsFilter) -> Option<u64> {
    if filter.parameters.iter().all(|(name, _)| name == "topic") { count(client, filter).await } else { None }
}

async fn count(client: &Client, filter: &EventsFilter) -> Option<u64> {
    #[derive(Deserialize)]
    struct Counted {
        count: u64,
    }
    let answer = tokio::time::timeout(COUNT_PATIENCE, client.count(filter, None)).await.ok()?.ok()?;
    serde_json::from_str(answer.get()).ok().map(|counted: Counted| counted.count)
}

fn destination(args: &ExportArgs) -> Result<(Destination, OutputFormat), Failure> {
    let usage = |message: &str| Failure::new(Exit::Usage, message);
    if args.output.as_os_str() != "-" {
        let format = args.format.or_else(|| OutputFormat::of_path(&args.output)).ok_or_else(|| {
            usage("cannot tell the format by the name of the file: say --format ndjson, csv, sqlite or parquet")
        })?;
        return Ok((Destination::File(args.output.clone()), format));
    }
    let format = args.format.unwrap_or(OutputFormat::Ndjson);
    if !format.is_text() {
        return Err(usage("SQLite and Parquet cannot be written to standard output: name a file with -o"));
    }
    if args.json {
        return Err(usage("--json needs a file to write to: name one with -o"));
    }
    Ok((Destination::Stdout, format))
}

fn tell(
    json: bool,
    quiet: bool,
    destination: &Destination,
    written: Written,
    elapsed: Duration,
) -> Result<(), Failure> {
    let Destination::File(path) = destination else { return Ok(()) };
    if json {
        let bytes = std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or_default();
        let seconds = (elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0;
        let mut output = Output::stdout();
        output.json(&json!({"file": path, "events": written.events, "bytes": bytes, "elapsed_seconds": seconds}))?;
        return output.flush();
    }
    if !quiet {
        let events = grouped(written.events);
        note(format_args!("exported {events} events to {} in {:.1} s", path.display(), elapsed.as_secs_f64()));
    }
    Ok(())
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "stopped early; nothing was exported")
}

fn broken_off(error: ClientError) -> Failure {
    let failure = Failure::from(error);
    let message = failure.message.map(|message| format!("{message}; the export broke off and was thrown away"));
    Failure { message, ..failure }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Stdout(error) => Self::output(&error),
            error => Self::new(Exit::Failed, error.to_string()),
        }
    }
}
