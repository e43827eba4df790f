//! The part that `publish` and `import` share: sending events to a server until every one of
//! them is accounted for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::{Report, View, wait_until_ready};
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::args::units::batch_size;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::Output;
use crate::cli::term::signals::Signals;
use crate::input::{InputError, Options, Origin, Pacing, feed};
use sekali_client::{Ending, Publisher, RetryPolicy};
use sekali_wire::limits::BODY_BYTES_MAX;

/// Longest request unless a single event is longer, in bytes. The server takes several times that.
pub(crate) const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

const _: () = assert!(REQUEST_BYTES_MAX <= BODY_BYTES_MAX);

/// How to send.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendingArgs {
    /// Most events in a request
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = batch_size())]
    batch_size: u32,
    /// Most requests in flight
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    concurrency: u32,
    /// Ask for the keys first, and send only events whose keys the server does not know
    #[arg(long)]
    only_new: bool,
    /// Send at most this many events a second
    #[arg(long, value_name = "EVENTS", value_parser = rate)]
    rate: Option<f64>,
    /// How long to wait until the server is ready
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
    /// How long to retry a request while the server is unreachable or overloaded
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    retry_for: u64,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Show no progress
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

/// The treatment of events that are not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// The first one ends the run.
    Stop,
    /// Pass over them, and name the first ones.
    Skip,
    /// Pass over them, and name them all.
    SkipAndNameAll,
}

/// How a run went, after its report was printed if there is something to report.
pub(crate) struct Sent {
    pub(crate) ending: Ending<InputError>,
    pub(crate) report: Report,
    /// How often something was found wrong in the input.
    pub(crate) flaws: u64,
}

impl SendingArgs {
    /// How long a request is retried.
    pub(crate) fn retry_for(&self) -> Duration {
        Duration::from_secs(self.retry_for)
    }
}

/// Sends everything and prints the account of it.
pub(crate) async fn send(origin: Origin, args: &SendingArgs, invalid: Invalid) -> Result<Sent, Failure> {
    let client = args.server.client()?;
    let signals = Signals::catch()?.first();
    tokio::pin!(signals);
    tokio::select! {
        ready = wait_until_ready(&client, Duration::from_secs(args.wait), args.quiet) => ready?,
        () = &mut signals => return Err(Failure::new(Exit::Interrupted, "stopped before anything was sent")),
    }
    let publisher = Publisher {
        client,
        concurrency: args.concurrency as usize,
        retry: RetryPolicy::lasting(args.retry_for()),
        skip_invalid: invalid != Invalid::Stop,
        only_new: args.only_new,
    };
    let pacing = Pacing { events_max: args.batch_size as usize, bytes_max: REQUEST_BYTES_MAX, rate: args.rate };
    let mut view = View::new(&origin, args.quiet);
    if invalid == Invalid::SkipAndNameAll {
        view = view.naming_all();
    }
    view.announce(&args.server.url);
    let started = Instant::now();
    let batches = feed(origin, pacing, publisher.concurrency);
    let (tally, ending) = publisher.run(batches, signals, |progress| view.show(&progress)).await;
    view.finish();
    let report = Report::new(&tally, started.elapsed(), matches!(ending, Ending::Complete));
    // Where nothing was answered there is nothing to account for: the error says it all.
    if report.complete || report.requests > 0 || args.json {
        let mut output = Output::stdout();
        report.print(&mut output, args.json)?;
        output.flush()?;
    }
    Ok(Sent { ending, report, flaws: tally.flaws })
}

/// These files, of which all can be opened.
pub(crate) fn files(paths: Vec<PathBuf>, options: Options) -> Result<Origin, Failure> {
    for path in paths.iter().filter(|path| path.as_os_str() != "-") {
        // A missing second file should be known before the first is sent.
        let failed = |error| Failure::new(Exit::Failed, format!("cannot read {}: {error}", path.display()));
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            let message =
                format!("cannot read events from {}: it is a directory: name the files in it", path.display());
            return Err(Failure::new(Exit::Refused, message));
        }
        // A pipe that is opened and closed again may lose its writer.
        if metadata.is_file() {
            std::fs::File::open(path).map_err(failed)?;
        }
    }
    Ok(Origin::Files { paths, options })
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(rate),
        _ => Err("must be a number above 0".to_owned()),
    }
}
