//! `sekali events`: reads stored events, page after page.

use std::borrow::Cow;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint, note};
use crate::cli::term::waiting::patiently;
use sekali_client::{EventsQuery, RetryPolicy};
use sekali_wire::csv;
use sekali_wire::escape::escape;

/// Events asked for at once; what the server gives by default.
const PAGE_EVENTS: u64 = 1_000;
/// How long a page is retried. Reading on from a cursor is exact, so a restart of the server goes
/// unnoticed.
const RETRY_FOR: Duration = Duration::from_secs(30);

const PAGE: &str = "How many, and in which order";
const OUTPUT: &str = "Output";

/// Arguments of `sekali events`.
#[derive(Debug, Args)]
#[command(after_help = "A terminal gets one short line for each event. A pipe or file gets NDJSON, exactly as \
    the events are stored.\n\n\
    Examples:\n  \
    sekali events --topic web.access --limit 20\n  \
    sekali events --order desc --limit 3 | jq .payload\n  \
    sekali events --where status=500 --since 1h --grep timeout\n  \
    sekali events --csv > events.csv\n  \
    sekali events > all.ndjson         can be published again: all are duplicates")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Only events after this cursor
    #[arg(long, value_name = "CURSOR", help_heading = PAGE)]
    after: Option<String>,
    /// Stop after this many events
    #[arg(long, value_name = "N", help_heading = PAGE)]
    limit: Option<u64>,
    /// Oldest first (asc) or newest first (desc)
    #[arg(long, value_enum, default_value_t = Order::Asc, help_heading = PAGE)]
    order: Order,
    /// Write NDJSON to a terminal, too
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
    /// Write CSV for a spreadsheet; cells that look like formulas get an apostrophe in front
    #[arg(long, conflicts_with = "json", help_heading = OUTPUT)]
    csv: bool,
    #[command(flatten)]
    server: ServerUrlArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Asc,
    Desc,
}

pub(crate) async fn run(args: EventsArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let mut output = Output::stdout();
    let (terminal, paint) = (output.is_terminal(), output.paint());
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut query =
        EventsQuery { filter: args.filter.into(), after: args.after, descending: args.order == Order::Desc, limit: 0 };
    if args.csv {
        output.text(csv::HEADER.as_bytes())?;
    }
    while left > 0 {
        query.limit = left.min(PAGE_EVENTS);
        let page = patiently(RetryPolicy::lasting(RETRY_FOR), false, || client.events(&query)).await?;
        for event in &page.events {
            match terminal {
                _ if args.csv => output.text(&csv_row(event)?)?,
                true if args.json => output.line(escape(&one_line(event.get())))?,
                true => output.line(for_people(event, paint))?,
                false => output.line(one_line(event.get()))?,
            }
        }
        // A reader at the other end of the pipe wants each page when it is there.
        output.flush()?;
        left = left.saturating_sub(page.events.len() as u64);
        match page.next {
            Some(next) if query.after.as_ref() != Some(&next) => query.after = Some(next),
            _ => return Ok(()),
        }
    }
    if let (true, false, Some(after)) = (terminal, args.csv, &query.after) {
        note(format_args!("there may be more: --after {after}"));
    }
    Ok(())
}

/// Line breaks can only stand between the tokens of JSON text, where a space means the same.
fn one_line(json: &str) -> Cow<'_, str> {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ").into() } else { json.into() }
}

/// An event as the server sends it.
#[derive(Deserialize)]
struct Shown<'a> {
    topic: String,
    event_id: String,
    timestamp: String,
    source: String,
    #[serde(borrow)]
    payload: &'a RawValue,
    seq: u64,
    received_at: String,
}

fn csv_row(event: &RawValue) -> Result<Vec<u8>, Failure> {
    let row: Shown<'_> = serde_json::from_str(event.get())
        .map_err(|error| Failure::new(Exit::Failed, format!("the server's answer makes no sense: {error}")))?;
    let (seq, payload) = (row.seq.to_string(), row.payload.get());
    let texts = [&row.topic, &row.event_id, &row.timestamp, &row.source, payload, &seq, &row.received_at];
    let mut out = Vec::new();
    csv::append_row(&mut out, texts.map(str::as_bytes));
    Ok(out)
}

fn for_people(event: &RawValue, paint: Paint) -> String {
    let Ok(shown) = serde_json::from_str::<Shown<'_>>(event.get()) else {
        return escape(&one_line(event.get())).into_owned();
    };
    format!(
        "{} {} {} {} {}",
        paint.dim(escape(&shown.timestamp)),
        paint.cyan(escape(&shown.topic)),
        escape(&shown.event_id),
        paint.dim(escape(&shown.source)),
        escape(&one_line(shown.payload.get())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let text = "{\"topic\":\"a\\u001b[2J\",\"event_id\":\"\u{202e}1\",\"timestamp\":\"2025-01-01T00:00:00Z\",\
                    \"source\":\"\",\"payload\":{\n  \"x\": 1\r\n},\"seq\":1,\"received_at\":\"2025-01-01T00:00:00Z\"}";
        let event = RawValue::from_string(text.to_owned()).unwrap();
        let shown = for_people(&event, Paint::PLAIN);
        assert_eq!(shown, "2025-01-01T00:00:00Z a\\u001b[2J \\u202e1  {   \"x\": 1  }");
        assert!(!one_line(text).contains(['\n', '\r']));
    }
}
