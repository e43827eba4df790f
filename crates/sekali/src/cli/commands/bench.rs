//! `sekali bench`: how fast a server takes events.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::bench::{
    self, BenchError, BenchReport, Compression, IdShape, Load, OwnServer, PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MIN,
};
use crate::cli::args::key::KeyArg;
use crate::cli::args::tls::ClientTlsArgs;
use crate::cli::args::units::{batch_size, share};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint};
use crate::cli::term::signals::Signals;
use crate::digits::grouped;
use sekali_client::ServerUrl;
use sekali_tls::ClientTls;

/// Arguments of `sekali bench`.
#[derive(Debug, Args)]
#[command(after_help = "Every run sends ids of its own, so that only the share that is asked for repeats. \
    Without --url a server is started for the purpose, and its data is removed afterwards.\n\n\
    Examples:\n  \
    sekali bench\n  \
    sekali bench --batch-size 1 --connections 64 --duration 30\n  \
    sekali bench --rate 100000 --ids uuid7 --compress zstd\n  \
    sekali bench --url http://aggregator:8080 --json")]
pub(crate) struct BenchArgs {
    /// How long to send
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    duration: f64,
    /// Connections, each with one request at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Events in a request
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = batch_size())]
    batch_size: u32,
    /// Fraction of events that repeat an earlier one, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    dup_ratio: f64,
    /// Send so many events a second, whether or not the server keeps up; the latency of a late
    /// request counts from when it was due [default: as fast as the server answers]
    #[arg(long, value_name = "EVENTS", value_parser = rate)]
    rate: Option<f64>,
    /// Form of the ids
    #[arg(long, value_enum, default_value_t = IdShape::Uuid4)]
    ids: IdShape,
    /// Length of a payload; the rest of an event takes 96 bytes, and its id
    #[arg(long, value_name = "BYTES", default_value_t = PAYLOAD_BYTES_DEFAULT, value_parser = payload_bytes)]
    payload_bytes: usize,
    /// Compression of requests
    #[arg(long, value_enum, default_value_t = Compression::None)]
    compress: Compression,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    /// Directory for the data of the server that is started for the purpose, on the disk to measure
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with = "url", help_heading = "Server")]
    scratch_dir: PathBuf,
    /// Measure this server; the events stay there [default: one started for the purpose]
    #[arg(long, help_heading = "Server")]
    url: Option<ServerUrl>,
    #[command(flatten, next_help_heading = "Server")]
    tls: ClientTlsArgs,
    #[command(flatten, next_help_heading = "Server")]
    key: KeyArg,
}

pub(crate) async fn run(args: BenchArgs) -> Result<(), Failure> {
    let signals = Signals::catch()?.first();
    tokio::select! {
        report = measure(&args) => print(&report?, args.json),
        // Dropping the measurement ends and removes the server it started.
        () = signals => Err(Failure::new(Exit::Interrupted, "stopped before there were figures")),
    }
}

async fn measure(args: &BenchArgs) -> Result<BenchReport, Failure> {
    let load = Load {
        duration: Duration::from_secs_f64(args.duration),
        connections: args.connections as usize,
        batch_size: args.batch_size as usize,
        dup_ratio: args.dup_ratio,
        payload_bytes: args.payload_bytes,
        ids: args.ids,
        compression: args.compress,
        rate: args.rate,
    };
    if let Some(url) = &args.url {
        return bench::run(url, &args.tls.files(), args.key.key()?.as_ref(), &load).await.map_err(failure);
    }
    let scratch_dir = args.scratch_dir.clone();
    let server = tokio::task::spawn_blocking(move || OwnServer::start(&scratch_dir))
        .await
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?
        .map_err(failure)?;
    bench::run(server.url(), &ClientTls::default(), None, &load).await.map_err(failure)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn failure(error: BenchError) -> Failure {
    let exit = match error {
        BenchError::Connect { .. } => Exit::Unreachable,
        BenchError::OwnServer(_) | BenchError::Histogram(_) | BenchError::Tls(_) => Exit::Failed,
    };
    Failure::new(exit, error.to_string())
}

fn print(report: &BenchReport, json: bool) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if json {
        output.json(report)?;
    } else {
        let paint = output.paint();
        lines(report, paint).iter().try_for_each(|line| output.line(line))?;
    }
    output.flush()?;
    match (&report.last_error, report.requests) {
        (Some(error), 0) => {
            Err(Failure::new(Exit::Failed, format!("no request was answered as it should be: {error}")))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates for people")]
fn lines(report: &BenchReport, paint: Paint) -> Vec<String> {
    let mut lines = vec![
        load_line(report),
        format!("events    {}/s", paint.bold(grouped(report.events_per_second as u64))),
        format!("requests  {}/s", grouped(report.requests_per_second as u64)),
        format!(
            "latency   p50 {} ms   p99 {} ms   p99.9 {} ms   max {} ms",
            report.p50_ms, report.p99_ms, report.p99_9_ms, report.max_ms
        ),
        format!(
            "outcome   {} stored   {} duplicates   {} conflicts   {} errors",
            grouped(report.stored),
            grouped(report.duplicates),
            grouped(report.conflicts),
            grouped(report.errors)
        ),
    ];
    if report.unsent > 0 {
        let unsent = grouped(report.unsent);
        lines.push(paint.yellow(format_args!("too slow: {unsent} requests were due and never sent")));
    }
    if let Some(error) = &report.last_error {
        lines.push(paint.yellow(format_args!("last error: {error}")));
    }
    lines
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates for people")]
fn load_line(report: &BenchReport) -> String {
    let load = &report.load;
    let rate = load.rate.map(|rate| format!(", {} events/s", grouped(rate as u64))).unwrap_or_default();
    let compressed = load.compress.name().map(|name| format!(", {name}")).unwrap_or_default();
    format!(
        "load      {} connections, requests of {} events of {} bytes{compressed}, {}% duplicates{rate}, {} s, {}",
        load.connections,
        grouped(load.batch_size as u64),
        load.event_bytes,
        load.dup_ratio * 100.0,
        load.duration_seconds,
        load.url,
    )
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('s').parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("must be a number of seconds above 0, like 10".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1.0..=1e9).contains(&rate) => Ok(rate),
        _ => Err("must be a number of events a second from 1 to 1000000000, like 100000".to_owned()),
    }
}

fn payload_bytes(text: &str) -> Result<usize, String> {
    let max = sekali_store::limits::PAYLOAD_BYTES_MAX;
    match text.parse() {
        Ok(bytes) if (PAYLOAD_BYTES_MIN..=max).contains(&bytes) => Ok(bytes),
        _ => Err(format!("must be from {PAYLOAD_BYTES_MIN} to {max}")),
    }
}
