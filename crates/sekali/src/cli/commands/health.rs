//! `sekali health`: one question, one answer, for the health checks of containers and supervisors.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint};
use sekali_wire::escape::escape;

/// Arguments of `sekali health`.
#[derive(Debug, Args)]
#[command(after_help = "Exits with 0 if the server accepts requests, and with 3 if not.\n\n\
    Examples:\n  \
    sekali health\n  \
    HEALTHCHECK CMD [\"sekali\", \"health\"]         in a Dockerfile")]
pub(crate) struct HealthArgs {
    /// How long to wait for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    timeout: u64,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

#[derive(Deserialize)]
struct Ready {
    status: String,
}

pub(crate) async fn run(args: HealthArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let answer = match client.ready(Duration::from_secs(args.timeout)).await {
        Ok(answer) => answer,
        // Whatever it is that answers there, it is not a server one could publish to.
        Err(error) => return Err(Failure::new(Exit::Unreachable, error.to_string())),
    };
    let mut output = Output::stdout();
    if args.json {
        output.line(answer.get())?;
    } else {
        let status = serde_json::from_str::<Ready>(answer.get()).map_or("ready".to_owned(), |ready| ready.status);
        output.line(paint_status(output.paint(), &status))?;
    }
    output.flush()
}

fn paint_status(paint: Paint, status: &str) -> String {
    let shown = escape(status);
    if status == "ready" { paint.green(shown) } else { paint.yellow(shown) }
}
