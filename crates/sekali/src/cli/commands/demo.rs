//! `sekali demo`: a server, 5,000 events of which 20% are duplicates, and what became of them.

use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinError;

use crate::cli::args::key::KeyArg;
use crate::cli::args::listen::ListenArgs;
use crate::cli::commands::publish::{REQUEST_BYTES_MAX, Report, View, conclude, wait_until_ready};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::local_server;
use crate::cli::term::log::{self, LogFormat};
use crate::cli::term::output::{Output, Paint, note};
use crate::cli::term::signals::Signals;
use crate::digits::grouped;
use crate::generate::{Recipe, START_NS};
use crate::input::{Origin, Pacing, feed};
use sekali_client::{Client, Ending, Publisher, RetryPolicy};
use sekali_server::clock::now_ns;
use sekali_server::server::{Ended, Sockets};
use sekali_tls::ClientTls;
use sekali_wire::escape::escape;
use sekali_wire::timestamp::Timestamp;

/// The same events in each run but for their timestamps, which end now, so that a second run finds
/// them all known.
const RECIPE: Recipe =
    Recipe { count: 5_000, dup_ratio: 0.2, topics: 4, seed: 1, payload_bytes_min: 0, start_ns: START_NS };
const BATCH_EVENTS: usize = 200;
const CONCURRENCY: usize = 4;
/// A server in the same process has no excuse to be away for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments of `sekali demo`.
#[derive(Debug, Args)]
#[command(after_help = "Run it twice: the second time all 5,000 events are duplicates, and nothing new is \
    stored.\n\n\
    Examples:\n  \
    sekali demo\n  \
    sekali demo --exit --json --listen 127.0.0.1:0 --data-dir demo-data")]
pub(crate) struct DemoArgs {
    /// Stop the server once the events are published
    #[arg(long)]
    exit: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten, next_help_heading = "Access")]
    key: KeyArg,
}

/// The counts of this run.
#[derive(Debug, Serialize)]
struct Counts {
    url: String,
    received: u64,
    unique_processed: u64,
    duplicate_dropped: u64,
    conflicts: u64,
    elapsed_seconds: f64,
    reconciled: bool,
}

/// The counters of the store's lifetime.
#[derive(Debug, Deserialize)]
struct Lifetime {
    received: u64,
    unique_processed: u64,
    duplicate_dropped: u64,
}

pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    log::start("warn", LogFormat::Text)?;
    let signals = Signals::catch()?;
    let server = local_server::start(args.listen.config(), Sockets::default()).await?;
    let url = format!("http://{}", local_server::reachable(server.addr()));
    let (stop, stopping) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(server.run_until(async {
        // Told, or forgotten: both mean stop.
        let _ = stopping.await;
    }));
    let shown = tokio::select! {
        shown = show(&args, &url, signals.first()) => shown,
        ended = &mut serving => return conclude_server(ended),
    };
    drop(stop);
    // A server that failed explains everything else that did.
    conclude_server(serving.await).and(shown)
}

/// Publishes, prints and, unless told otherwise, stays until somebody has seen enough.
async fn show(args: &DemoArgs, url: &str, signals: impl Future<Output = ()>) -> Result<(), Failure> {
    tokio::pin!(signals);
    let mut output = Output::stdout();
    let paint = output.paint();
    let data_dir = args.listen.data_dir.display().to_string();
    let data_dir = escape(&data_dir);
    if !args.json {
        output.line(format_args!("{} {} in a browser to see what happens", paint.bold("Open"), paint.cyan(url)))?;
        output.line(format_args!("(sekali with its data in {data_dir})\n"))?;
        output.flush()?;
    }
    let server_url = url.parse().map_err(|error: String| Failure::new(Exit::Failed, error))?;
    let client = Client::new(&server_url, &ClientTls::default())?.with_key(args.key.key()?.as_ref());
    let counts = publish(&client, args.json, &mut signals).await?;
    if args.json {
        output.json(&counts)?;
    } else {
        let lifetime = client.stats().await?;
        for line in account(&counts, serde_json::from_str(lifetime.get()).ok(), paint) {
            output.line(line)?;
        }
    }
    if !args.exit {
        if !args.json {
            for line in things_to_try(url, paint) {
                output.line(line)?;
            }
        }
        output.flush()?;
        signals.await;
        if !args.json {
            note(format_args!("\nstopped; the data is in {data_dir}"));
        }
    }
    output.flush()
}

async fn publish(client: &Client, quiet: bool, stop: impl Future<Output = ()>) -> Result<Counts, Failure> {
    wait_until_ready(client, PATIENCE, true).await?;
    let publisher = Publisher {
        client: client.clone(),
        concurrency: CONCURRENCY,
        retry: RetryPolicy::lasting(PATIENCE),
        only_new: false,
        skip_invalid: false,
    };
    let origin = Origin::Generated(RECIPE.ending_at(now_ns()));
    let mut view = View::new(&origin, quiet);
    let pacing = Pacing { events_max: BATCH_EVENTS, bytes_max: REQUEST_BYTES_MAX, rate: None };
    let started = Instant::now();
    let batches = feed(origin, pacing, CONCURRENCY);
    let (tally, ending) = publisher.run(batches, stop, |progress| view.show(&progress)).await;
    view.finish();
    let report = Report::new(&tally, started.elapsed(), matches!(ending, Ending::Complete));
    conclude(ending, &report, PATIENCE, None)?;
    Ok(Counts {
        url: client.url().to_string(),
        received: report.received,
        unique_processed: report.stored,
        duplicate_dropped: report.duplicates,
        conflicts: report.conflicts,
        elapsed_seconds: report.elapsed_seconds,
        reconciled: report.reconciled,
    })
}

fn account(counts: &Counts, lifetime: Option<Lifetime>, paint: Paint) -> Vec<String> {
    let figure = |name: &str, value: u64, remark: &str| format!("  {name:<11}{:>8}  {remark}", grouped(value));
    let mut lines = vec![
        format!("published {} events in {} s", grouped(counts.received), counts.elapsed_seconds),
        figure("stored", counts.unique_processed, "new"),
        figure("duplicates", counts.duplicate_dropped, "known already, not stored again"),
        figure("conflicts", counts.conflicts, "known with different content"),
        paint.green("  reconciled: received = stored + duplicates"),
    ];
    if let Some(Lifetime { received, unique_processed, duplicate_dropped }) = lifetime {
        let sum = if received == unique_processed + duplicate_dropped { "=" } else { "DIFFERS FROM" };
        lines.push(format!(
            "  in the store's lifetime: {} received {sum} {} stored + {} duplicates",
            grouped(received),
            grouped(unique_processed),
            grouped(duplicate_dropped)
        ));
    }
    lines.push(match counts.unique_processed {
        0 => "\nEvery event was known from an earlier run: nothing was stored twice.".to_owned(),
        _ => "\nRun it again: all of them will be duplicates, and nothing new is stored.".to_owned(),
    });
    lines
}

fn things_to_try(url: &str, paint: Paint) -> Vec<String> {
    let now = Timestamp(now_ns()).to_the_second();
    vec![
        format!("\n{}", paint.bold("Try")),
        format!("  curl {url}/stats"),
        format!("  curl '{url}/events?topic=web.access&limit=3'"),
        format!("  curl {url}/publish -H 'Content-Type: application/json' -d '"),
        // White space between the members of JSON means nothing, and each line fits 80 columns.
        r#"    {"topic":"demo","event_id":"id-123","#.to_owned(),
        format!(r#"     "timestamp":"{now}","source":"curl","#),
        r#"     "payload":{"message":"hello"}}'"#.to_owned(),
        format!("\n{}", paint.dim("Ctrl-C stops the server; the data stays.")),
    ]
}

fn conclude_server(ended: Result<Ended, JoinError>) -> Result<(), Failure> {
    local_server::conclude(ended.map_err(|error| Failure::new(Exit::Failed, format!("the server broke off: {error}")))?)
}
