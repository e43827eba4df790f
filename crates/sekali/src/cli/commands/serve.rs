//! `sekali serve`: the server, in the foreground.

use std::io;

use clap::Args;
use tokio::sync::oneshot;

use crate::bench::LISTENING;
use crate::cli::args::listen::ListenArgs;
use crate::cli::args::retain::RetainArgs;
use crate::cli::args::tls::ServerTlsArgs;
use crate::cli::failure::Failure;
use crate::cli::local_server;
use crate::cli::term::log::{self, LogFormat};
use crate::cli::term::output::Output;
use crate::cli::term::signals::{Hangups, Signals};
use sekali_server::server::Config;

/// Arguments of `sekali serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM and SIGINT (Ctrl-C) finish the requests in progress and stop; a second one stops at once.\n\
    Either way nothing that was acknowledged is lost. With --tls-cert, SIGHUP reads the certificates again.\n\n\
    Without keys (see sekali keys) everybody may read and publish who reaches the server: so it listens on loopback\n\
    only, unless --allow-anonymous is given. Keys that are made or revoked take effect within 2 s.\n\n\
    Examples:\n  \
    sekali serve\n  \
    sekali keys create --data-dir /var/lib/sekali --scope publish --name 'web servers'\n  \
    sekali serve --listen 0.0.0.0:8080 --data-dir /var/lib/sekali --log-format json\n  \
    sekali serve --listen 0.0.0.0:8443 --tls-cert server.pem --tls-key server.key\n  \
    sekali serve --retain-age 90d --retain 'debug.*=7d' --retain-size 50GiB"
)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    listen: ListenArgs,
    /// Partitions of a new store; one that exists keeps its own number
    #[arg(long, env = "SEKALI_PARTITIONS", value_name = "N", default_value_t = 1, value_parser = partitions())]
    partitions: u32,
    /// Web pages from here may use the API, like https://logs.example.org; several with commas, or
    /// by repeating
    #[arg(long = "cors-origin", env = "SEKALI_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<String>,
    #[command(flatten)]
    tls: ServerTlsArgs,
    #[command(flatten)]
    retain: RetainArgs,
    /// What to log: error, warn, info, debug or trace
    #[arg(long, env = "SEKALI_LOG", value_name = "LEVEL", default_value = "info")]
    log: String,
    /// How to write the log
    #[arg(long, env = "SEKALI_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Stop when standard input ends, as it does when whoever holds its other end is gone: even if
    /// that was killed, and could not stop this server
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    log::start(&args.log, args.log_format)?;
    // Before the store is opened: a signal during recovery is heeded as soon as that is done.
    let signals = Signals::catch()?;
    let tls = args.tls.files();
    let hangups = tls.is_some().then(Hangups::catch).transpose()?;
    let server = local_server::start(Config {
        partitions: args.partitions,
        // An empty environment variable means none.
        cors_origins: args.cors_origins.into_iter().filter(|origin| !origin.is_empty()).collect(),
        retention: args.retain.retention(),
        tls,
        ..args.listen.config()
    })
    .await?;
    if let Some((hangups, certificates)) = hangups.zip(server.certificates().cloned()) {
        tokio::spawn(hangups.each(move || certificates.reload()));
    }
    let mut output = Output::stdout();
    // Nobody need read this; whoever closed standard output still wants the server.
    let _ = output.line(format_args!("{LISTENING}{}://{}", server.scheme(), server.addr()));
    let _ = output.flush();
    let stop = async {
        tokio::select! {
            () = signals.first() => {}
            () = stdin_end(), if args.until_stdin_ends => {}
        }
    };
    local_server::conclude(server.run_until(stop).await)
}

/// Resolves when standard input ends.
async fn stdin_end() {
    let (ended, end) = oneshot::channel();
    // A thread of its own, since nothing can interrupt the read: the runtime would wait for one of
    // its own when it ends.
    std::thread::spawn(move || {
        // Whatever goes wrong with reading, there is nobody at the other end any more.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

fn partitions() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(sekali_store::limits::PARTITIONS_MAX))
}
