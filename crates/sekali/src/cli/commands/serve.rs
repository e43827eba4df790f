//! `sekali serve`: the server, in the foreground.

use std::io;

use clap::Args;
use tokio::sync::oneshot;

use crate::bench::LISTENING;
use crate::cli::args::listen::ListenArgs;
use crate::cli::args::log::LogArgs;
use crate::cli::args::ports::PortArgs;
use crate::cli::args::retain::RetainArgs;
use crate::cli::args::tls::ServerTlsArgs;
use crate::cli::failure::Failure;
use crate::cli::local_server;
use crate::cli::term::output::Output;
use crate::cli::term::signals::{Hangups, Signals};
use sekali_server::server::{Config, Sockets};

/// Arguments of `sekali serve`.
#[derive(Debug, Args)]
#[command(after_help = "SIGTERM and SIGINT (Ctrl-C) finish the requests in progress and stop; a second one stops \
    at once. Either way nothing that was acknowledged is lost. SIGHUP reads certificates and \
    keys again.\n\n\
    A restart refuses no connection with --take-over, and on sockets of a supervisor that stay \
    open, such as sekali.socket of systemd, which then decide on the address.\n\n\
    Without keys (see sekali keys) every client that reaches the server may do everything, \
    so it listens on loopback only, unless --allow-anonymous is given. Created and revoked \
    keys take effect within 2 s.\n\n\
    Examples:\n  \
    sekali serve\n  \
    sekali keys create --data-dir /var/lib/sekali --scope publish\n  \
    sekali serve --listen :8080 --data-dir /var/lib/sekali\n  \
    sekali serve --listen :8443 --tls-cert server.pem --tls-key server.key\n  \
    sekali serve --take-over\n  \
    sekali serve --retain-age 90d --retain 'debug.*=7d' --retain-size 50G")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    ports: PortArgs,
    /// Take over sockets and data directory from the server that runs on it, which finishes its
    /// requests and ends; no connection is refused meanwhile
    #[arg(long)]
    take_over: bool,
    /// Sockets of a supervisor.
    #[arg(skip)]
    sockets: Sockets,
    /// Web pages of this origin may use the API, like https://logs.example.org; repeat it, or
    /// separate several with commas
    #[arg(long = "cors-origin", env = "SEKALI_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    #[arg(help_heading = "Access")]
    cors_origins: Vec<String>,
    /// Partitions of a new store; an existing one keeps its own number. Hidden: until there is a
    /// cluster, nobody can know a better number than 1.
    #[arg(long, env = "SEKALI_PARTITIONS", default_value_t = 1, value_parser = partitions(), hide = true)]
    partitions: u32,
    /// Write `listening on URL` to standard output, for a program that starts this one.
    #[arg(long, hide = true)]
    announce: bool,
    /// Stop when standard input ends. Its other end closes even if its owner is killed and cannot
    /// stop this server.
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    #[command(flatten)]
    retain: RetainArgs,
    #[command(flatten)]
    tls: ServerTlsArgs,
    #[command(flatten)]
    log: LogArgs,
}

impl ServeArgs {
    /// Listens on the sockets of a supervisor, if there are any.
    pub(crate) fn inherit(&mut self, sockets: Sockets) {
        self.sockets = sockets;
    }
}

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    args.log.start()?;
    // Before the store is opened: a signal during recovery is heeded as soon as that is done.
    let signals = Signals::catch()?;
    let tls = args.tls.files();
    // Whether or not there is anything to read again: by default a hangup ends the process.
    let hangups = Hangups::catch()?;
    let config = Config {
        partitions: args.partitions,
        // An empty environment variable means none.
        cors_origins: args.cors_origins.into_iter().filter(|origin| !origin.is_empty()).collect(),
        retention: args.retain.retention(),
        tls,
        take_over: args.take_over,
        ports: args.ports.ports(),
        ..args.listen.config()
    };
    let server = local_server::start(config, args.sockets).await?;
    tokio::spawn(hangups.each(server.reload()));
    // The log says where it listens, to people. A program that closed standard output still wants
    // the server.
    if args.announce {
        let mut output = Output::stdout();
        let _ = output.line(format_args!("{LISTENING}{}", server.url()));
        let _ = output.flush();
    }
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
