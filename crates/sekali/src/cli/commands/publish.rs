//! `sekali publish`: sends events and accounts for every one of them.

mod progress;
mod report;
mod sending;
mod shape;

pub(super) use progress::View;
pub(super) use report::Report;
pub(super) use sending::{Invalid, REQUEST_BYTES_MAX, SendingArgs, files, send};

pub(super) use shape::ShapeArgs;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::args::generator::GeneratorArgs;
use crate::cli::args::input_format::InputFormatArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::note;
use crate::cli::term::waiting::patiently;
use crate::digits::grouped;
use crate::input::{InputError, Options, Origin, check};
use sekali_client::{Batch, Client, Ending, RefusedEvent, RetryPolicy};
use sekali_server::limits::PROBLEMS_LISTED_MAX;
use sekali_wire::escape::escape;

/// Invalid events that are named one by one.
const NAMED_MAX: u64 = 20;
/// Files that are larger together are not read again once something in them was refused.
const CHECKED_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long one question for readiness may take.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// Arguments of `sekali publish`.
#[derive(Debug, Args)]
#[command(after_help = "Publishing is safe to repeat: after a crash, a lost connection or Ctrl-C, run the same \
    command again. Stored events are duplicates then, and are not stored twice.\n\n\
    Examples:\n  \
    sekali publish events.ndjson\n  \
    sekali publish monday.csv tuesday.json --skip-invalid\n  \
    sekali publish --lines /var/log/app.log --topic app\n  \
    sekali publish --map orders.csv --topic 'orders.{shop}' --id order_id --timestamp created\n  \
    journalctl -o json --since today | sekali publish --journal\n  \
    tail -F app.ndjson | sekali publish --batch-size 100\n  \
    sekali publish --count 5000 --dup-ratio 0.2 --batch-size 200")]
pub(crate) struct PublishArgs {
    /// Files to publish: NDJSON, JSON, CSV, SQLite or Parquet, also compressed; - is standard input,
    /// which is also read if there is neither a file nor --count
    #[arg(value_name = "FILE", conflicts_with = "count")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    input: InputFormatArgs,
    /// Skip invalid events, name them and go on
    #[arg(long, help_heading = "Input")]
    skip_invalid: bool,
    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    generator: GeneratorArgs,
    #[command(flatten)]
    sending: SendingArgs,
}

pub(crate) async fn run(args: PublishArgs) -> Result<(), Failure> {
    let invalid = if args.skip_invalid { Invalid::Skip } else { Invalid::Stop };
    let origin = origin(&args)?;
    let sent = send(origin.clone(), &args.sending, invalid).await?;
    conclude(sent.ending, &sent.report, args.sending.retry_for(), Some(&origin))
}

/// Waits for the server, telling people once that it does.
pub(super) async fn wait_until_ready(client: &Client, patience: Duration, quiet: bool) -> Result<(), Failure> {
    let policy = RetryPolicy { longest: Duration::from_secs(1), ..RetryPolicy::lasting(patience) };
    patiently(policy, quiet, || client.ready(READY_TIMEOUT)).await?;
    Ok(())
}

/// Turns the way a run ended into what the process says and exits with. `patience` is how long a
/// request was to be retried. If a request was refused, `origin` is searched for more of the kind.
pub(super) fn conclude(
    ending: Ending<InputError>,
    report: &Report,
    patience: Duration,
    origin: Option<&Origin>,
) -> Result<(), Failure> {
    match ending {
        Ending::Complete if !report.reconciled => Err(Failure::new(
            Exit::Failed,
            "the server's counts do not add up to what was sent: is something between it and us?",
        )),
        Ending::Complete => Ok(()),
        Ending::Stopped => {
            Err(Failure::new(Exit::Interrupted, "stopped early; it is safe to run the same command again"))
        }
        Ending::Refused { batch, refusal } if refusal.events.is_empty() => Err(Failure::new(
            Exit::Refused,
            format!("{refusal} (request beginning at {}; nothing of it is stored)", escape(&batch.place_of(Some(0)))),
        )),
        Ending::Refused { batch, refusal } => {
            name_refused(&batch, &refusal.events, origin);
            // What is valid and forbidden is not skipped.
            let or_skip = if refusal.status == 403 { "" } else { ": mend it and run again, or use --skip-invalid" };
            Err(Failure::new(Exit::Refused, format!("{refusal}; nothing of this request is stored{or_skip}")))
        }
        Ending::Input(error) => {
            let exit = if error.is_of_the_data() { Exit::Refused } else { Exit::Failed };
            Err(Failure::new(exit, escape(&error.to_string())))
        }
        Ending::Client { error, retried_for } if error.is_retryable() => {
            let why = match error.retry_after().filter(|&wait| retried_for + wait > patience) {
                Some(wait) => format!(
                    ", since the server asks for {} s more and --retry-for allows {} s in all",
                    wait.as_secs(),
                    patience.as_secs()
                ),
                None => String::new(),
            };
            let seconds = retried_for.as_secs_f64();
            Err(Failure::new(
                Exit::Unreachable,
                format!("gave up after {seconds:.1} s{why}: {error}; it is safe to run the same command again"),
            ))
        }
        Ending::Client { error, .. } => Err(error.into()),
        Ending::Broken(reason) => Err(Failure::new(Exit::Failed, reason)),
    }
}

/// Names the events that were refused, and what else in the files would be: all of it can be mended
/// at once then.
fn name_refused(batch: &Batch, events: &[RefusedEvent], origin: Option<&Origin>) {
    let mut named = 0;
    let mut name = |place: &str, reason: &str| {
        named += 1;
        if named <= NAMED_MAX {
            note(format_args!("{}: {}", escape(place), escape(reason)));
        }
    };
    // The server has seen all of this request, and has named all that is wrong unless it is much.
    let places: HashSet<_> = match events.len() {
        0..PROBLEMS_LISTED_MAX => (0..batch.events()).map(|at| batch.place_of(usize::try_from(at).ok())).collect(),
        _ => events.iter().map(|event| batch.place_of(event.index)).collect(),
    };
    events.iter().for_each(|event| name(&batch.place_of(event.index), &event.to_string()));
    if let Some(Origin::Files { paths, options }) = origin.filter(|origin| are_small(origin)) {
        for path in paths {
            check(path, options, |place, reason| {
                if !places.contains(&place) {
                    name(&place, &reason);
                }
            });
        }
    }
    if named > NAMED_MAX {
        note(format_args!("and {} more", grouped(named - NAMED_MAX)));
    }
}

/// Whether files can be read again, and soon.
fn are_small(origin: &Origin) -> bool {
    let Origin::Files { paths, .. } = origin else { return false };
    let size = |path: &PathBuf| std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    paths.iter().map(size).sum::<Option<u64>>().is_some_and(|bytes| bytes <= CHECKED_BYTES_MAX)
}

fn origin(args: &PublishArgs) -> Result<Origin, Failure> {
    let shape = args.shape.shape()?;
    if let Some(recipe) = args.generator.recipe() {
        if shape.is_some() {
            return Err(Failure::new(Exit::Usage, "--count makes events; leave --lines, --journal and --map out"));
        }
        return Ok(Origin::Generated(recipe));
    }
    let mut paths = args.files.clone();
    if paths.is_empty() {
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            return Err(Failure::new(Exit::Usage, "nothing to publish: name a file, pipe events in, or use --count"));
        }
        paths.push("-".into());
    }
    let InputFormatArgs { format, table } = &args.input;
    let (format, table, skip_bad) = (*format, table.clone(), args.skip_invalid);
    let options = Options { format, shape, table, skip_bad, take_evidence: false };
    files(paths, options)
}
