//! `sekali tail`: shows events as they are stored.

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;

use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::commands::events::{PayloadColumn, columns_for_people, for_people, one_line};
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint, note, reader_gone};
use crate::cli::term::signals::Signals;
use sekali_client::{ClientError, EventsFilter, RetryPolicy, Tail};
use sekali_wire::escape::escape;

/// Events that come so soon after each other are handed on together.
const TOGETHER: Duration = Duration::from_millis(5);
/// How long a server may be away: a person can see that it is, and end the command.
const RETRY_FOR: Duration = Duration::from_secs(365 * 24 * 3_600);

const BEGIN: &str = "Where to begin";
const OUTPUT: &str = "Output";

/// Arguments of `sekali tail`.
#[derive(Debug, Args)]
#[command(after_help = "A terminal gets one short line for each event, a pipe or file NDJSON, exactly as it is \
    stored. If the connection is lost, it is made again, and no event is left out or shown twice. Ctrl-C ends it.\n\n\
    Examples:\n  \
    sekali tail --topic 'web.*' --where status=500\n  \
    sekali tail --columns status,duration_ms,path\n  \
    sekali tail --from-beginning --limit 10\n  \
    sekali tail --match 'path=^/api' | jq .payload")]
pub(crate) struct TailArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Begin with the oldest event, not with the next one
    #[arg(long, help_heading = BEGIN)]
    from_beginning: bool,
    /// Begin behind this cursor
    #[arg(long, value_name = "CURSOR", conflicts_with = "from_beginning", help_heading = BEGIN)]
    after: Option<String>,
    /// Stop after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = OUTPUT)]
    limit: Option<u64>,
    /// Show the values at these paths of the payload instead of all of it, like user.id,status
    #[arg(long, value_name = "PATH,…", value_delimiter = ',', value_parser = PayloadColumn::parse)]
    #[arg(conflicts_with = "json", help_heading = OUTPUT)]
    columns: Vec<PayloadColumn>,
    /// Write NDJSON to a terminal, too
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: TailArgs) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let client = args.server.client()?;
    let output = Output::stdout();
    let shape = match output.is_terminal() {
        _ if !args.columns.is_empty() => Shape::Columns(output.paint(), args.columns),
        true if args.json => Shape::Json,
        true => Shape::People(output.paint()),
        false => Shape::Ndjson,
    };
    let from = if args.from_beginning { "beginning".to_owned() } else { args.after.unwrap_or("now".to_owned()) };
    let tail = client.tail(EventsFilter::from(args.filter), from, RetryPolicy::lasting(RETRY_FOR));
    let mut watching = Watching { tail, output, shape, is_away: false };
    let (left, is_terminal) = (args.limit.unwrap_or(u64::MAX), watching.output.is_terminal());
    let watched = tokio::select! {
        watched = watching.watch(left) => watched,
        () = signals.first() => Ok(()),
        () = reader_gone() => Ok(()),
    };
    watching.output.flush()?;
    if let (true, Some(cursor)) = (is_terminal, watching.tail.cursor()) {
        note(format_args!("to go on here: --after {cursor}"));
    }
    watched
}

/// How an event is written.
enum Shape {
    /// One short line.
    People(Paint),
    /// The values at these paths.
    Columns(Paint, Vec<PayloadColumn>),
    /// JSON on a terminal.
    Json,
    /// JSON as the server sent it.
    Ndjson,
}

struct Watching {
    tail: Tail,
    output: Output,
    shape: Shape,
    /// Whether people were told that the server is away.
    is_away: bool,
}

impl Watching {
    async fn watch(&mut self, limit: u64) -> Result<(), Failure> {
        for _ in 0..limit {
            let event = self.next().await?;
            self.show(&event)?;
        }
        Ok(())
    }

    /// The next event. Until it comes, those before can be seen.
    async fn next(&mut self) -> Result<Box<RawValue>, Failure> {
        let Self { tail, output, is_away, .. } = self;
        let mut next = pin!(next(tail, is_away));
        match tokio::time::timeout(TOGETHER, next.as_mut()).await {
            Ok(event) => event,
            Err(_) => {
                output.flush()?;
                next.await
            }
        }
    }

    fn show(&mut self, event: &RawValue) -> Result<(), Failure> {
        match &self.shape {
            Shape::People(paint) => self.output.line(for_people(event, *paint)),
            Shape::Columns(paint, columns) => self.output.line(columns_for_people(event, *paint, columns)),
            Shape::Json => self.output.line(escape(&one_line(event.get()))),
            Shape::Ndjson => self.output.line(one_line(event.get())),
        }
    }
}

async fn next(tail: &mut Tail, is_away: &mut bool) -> Result<Box<RawValue>, Failure> {
    let tell = |error: &ClientError, _: Duration| {
        if !std::mem::replace(is_away, true) {
            note(format_args!("waiting for the server: {}", escape(&error.to_string())));
        }
    };
    let event = tail.next(tell).await?;
    *is_away = false;
    Ok(event)
}
