//! `sekali events`: reads stored events, page after page.

mod columns;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::answer::parse;
use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint, note};
use crate::cli::term::waiting::patiently;
use sekali_client::{Client, EventsFilter, EventsQuery, RetryPolicy};
use sekali_wire::csv;
use sekali_wire::escape::escape;
use sekali_wire::stats::Topic;

pub(super) use columns::{PayloadColumn, columns_for_people};

/// Events asked for at once; what the server gives by default.
const PAGE_EVENTS: u64 = 1_000;
/// Events that a terminal gets unless another number is wanted.
const TERMINAL_EVENTS: u64 = 100;
/// Topics that are named where the wanted one has no events.
const TOPICS_NAMED_MAX: usize = 10;
/// Topics that the server lists at once by default.
const TOPICS_PAGE: usize = 1_000;
/// How long a page is retried. Reading on from a cursor is exact, so a restart of the server goes
/// unnoticed.
const RETRY_FOR: Duration = Duration::from_secs(30);

const PAGE: &str = "How many, and in which order";
const OUTPUT: &str = "Output";

/// Arguments of `sekali events`.
#[derive(Debug, Args)]
#[command(after_help = "A terminal gets one short line for each of the newest 100 events, the newest last. A \
    pipe or file gets all of them as NDJSON, exactly as they are stored.\n\n\
    Examples:\n  \
    sekali events --topic web.access --limit 20\n  \
    sekali events --order desc --limit 3 | jq .payload\n  \
    sekali events --where status=500 --since 1h --grep timeout\n  \
    sekali events --csv > events.csv\n  \
    sekali events --columns timestamp,source,payload.status --since 1h\n  \
    sekali events > all.ndjson         can be published again: all are duplicates")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Only events after this cursor
    #[arg(long, value_name = "CURSOR", help_heading = PAGE)]
    after: Option<String>,
    /// Stop after this many events [default: 100 on a terminal, all elsewhere]
    #[arg(long, value_name = "N", help_heading = PAGE)]
    limit: Option<u64>,
    /// Oldest first (asc) or newest first (desc) [default: asc]
    #[arg(long, value_enum, hide_possible_values = true, help_heading = PAGE)]
    order: Option<Order>,
    /// Only these fields of each event, like timestamp,source,payload.user.id
    #[arg(long, value_name = "FIELDS", help_heading = OUTPUT)]
    columns: Option<String>,
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
    let output = Output::stdout();
    let shape = match output.is_terminal() {
        _ if args.csv => Shape::Csv,
        true if args.json => Shape::Json,
        true => Shape::People(output.paint()),
        false => Shape::Ndjson,
    };
    let mut filter = EventsFilter::from(args.filter);
    let shape = match args.columns {
        None => shape,
        Some(columns) => {
            filter.parameters.push(("columns".to_owned(), columns.clone()));
            shape.with_columns(&columns)
        }
    };
    let query = EventsQuery { filter, after: args.after, descending: args.order == Some(Order::Desc), limit: 0 };
    let mut reading = Reading { client, output, shape, query, shown: 0 };
    // Nobody reads thousands of lines that run past; what happened last is what is looked for.
    let is_glance = matches!(reading.shape, Shape::People(_) | Shape::PeopleColumns(_))
        && args.limit.is_none()
        && reading.query.after.is_none();
    let there_is_more = match (is_glance, args.order) {
        (true, None) => reading.newest(TERMINAL_EVENTS).await?,
        (true, Some(_)) => reading.pages(TERMINAL_EVENTS).await?,
        (false, _) => reading.pages(args.limit.unwrap_or(u64::MAX)).await?,
    };
    if is_glance && there_is_more {
        let which = if reading.query.descending { "newest" } else { "oldest" };
        note(format_args!("these are the {which} {TERMINAL_EVENTS}: --limit N shows more, a pipe or file gets all"));
    } else if let (true, Shape::People(_) | Shape::PeopleColumns(_) | Shape::Json, Some(after)) =
        (there_is_more, &reading.shape, &reading.query.after)
    {
        note(format_args!("there may be more: --after {after}"));
    }
    if reading.shown == 0 {
        reading.explain_nothing().await;
    }
    Ok(())
}

/// How an event is written.
enum Shape {
    /// One short line.
    People(Paint),
    /// JSON on a terminal.
    Json,
    /// JSON as the server sent it.
    Ndjson,
    Csv,
    /// The values of some columns on a line.
    PeopleColumns(Vec<String>),
    CsvColumns(Vec<String>),
}

impl Shape {
    /// The same for events of which the server sends only these fields.
    fn with_columns(self, columns: &str) -> Self {
        match self {
            Self::People(_) => Self::PeopleColumns(column_names(columns)),
            Self::Csv => Self::CsvColumns(column_names(columns)),
            other => other,
        }
    }
}

struct Reading {
    client: Client,
    output: Output,
    shape: Shape,
    query: EventsQuery,
    shown: u64,
}

impl Reading {
    /// Writes pages as they come, up to `limit` events. Returns whether there may be more.
    async fn pages(&mut self, limit: u64) -> Result<bool, Failure> {
        match &self.shape {
            Shape::Csv => self.output.text(csv::HEADER.as_bytes())?,
            Shape::CsvColumns(names) => {
                let mut header = Vec::new();
                csv::append_row(&mut header, names.iter().map(String::as_bytes));
                self.output.text(&header)?;
            }
            _ => {}
        }
        while self.shown < limit {
            let (events, is_last) = self.page(limit - self.shown).await?;
            for event in &events {
                self.show(event)?;
            }
            // A reader at the other end of the pipe wants each page when it is there.
            self.output.flush()?;
            if is_last {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the newest events, the oldest of them first. Returns whether there are more.
    async fn newest(&mut self, limit: u64) -> Result<bool, Failure> {
        self.query.descending = true;
        let (mut newest, mut is_last) = (Vec::new(), false);
        while !is_last && (newest.len() as u64) <= limit {
            // One more than is shown tells whether there are more.
            let (events, last) = self.page(limit + 1 - newest.len() as u64).await?;
            newest.extend(events);
            is_last = last;
        }
        let there_is_more = newest.len() as u64 > limit;
        newest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for event in newest.iter().rev() {
            self.show(event)?;
        }
        self.output.flush()?;
        Ok(there_is_more)
    }

    /// Reads the next page, of at most `events`. Returns whether it is the last one.
    async fn page(&mut self, events: u64) -> Result<(Vec<Box<RawValue>>, bool), Failure> {
        self.query.limit = events.min(PAGE_EVENTS);
        let page = patiently(RetryPolicy::lasting(RETRY_FOR), false, || self.client.events(&self.query)).await?;
        let is_last = page.next.is_none() || page.next == self.query.after;
        self.query.after = page.next.or(self.query.after.take());
        Ok((page.events, is_last))
    }

    fn show(&mut self, event: &RawValue) -> Result<(), Failure> {
        self.shown += 1;
        match &self.shape {
            Shape::People(paint) => self.output.line(for_people(event, *paint)),
            Shape::PeopleColumns(names) => {
                let cells = column_cells(event, names)?;
                self.output.line(escape(&one_line(&cells.join("  "))))
            }
            Shape::CsvColumns(names) => {
                let mut row = Vec::new();
                csv::append_row(&mut row, column_cells(event, names)?.iter().map(String::as_bytes));
                self.output.text(&row)
            }
            Shape::Json => self.output.line(escape(&one_line(event.get()))),
            Shape::Ndjson => self.output.line(one_line(event.get())),
            Shape::Csv => self.output.text(&csv_row(event)?),
        }
    }

    /// Says which topics there are, if none of those that were asked for is among them. Where that
    /// cannot be known nothing is said.
    async fn explain_nothing(&self) {
        let wanted = self.query.filter.parameters.iter().filter(|(name, _)| name == "topic");
        let wanted: Vec<_> = wanted.map(|(_, topic)| topic.as_str()).collect();
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted.contains(['*', '$'])) {
            return;
        }
        let Ok(answer) = self.client.topics().await else { return };
        let Ok(topics) = serde_json::from_str::<Vec<Topic>>(answer.get()) else { return };
        // A full page may not have them all.
        let is_whole = topics.len() < TOPICS_PAGE;
        if !is_whole || topics.iter().any(|topic| wanted.contains(&topic.topic.as_str())) {
            return;
        }
        let mut there: Vec<_> = topics.iter().take(TOPICS_NAMED_MAX).map(|topic| topic.topic.as_str()).collect();
        if topics.len() > there.len() {
            there.push("…");
        }
        let there = if there.is_empty() { "none at all".to_owned() } else { there.join(", ") };
        note(format_args!("no events of topic {}; there are: {}", escape(&wanted.join(", ")), escape(&there)));
    }
}

/// Line breaks can only stand between the tokens of JSON text, where a space means the same.
pub(super) fn one_line(json: &str) -> Cow<'_, str> {
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

/// The names in a list of columns, in which `\\,` is a comma of a name.
fn column_names(columns: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = columns.chars().peekable();
    while let Some(char) = chars.next() {
        let name = names.last_mut();
        match (char, name) {
            (',', _) => names.push(String::new()),
            ('\\', Some(name)) if chars.peek() == Some(&',') => name.extend(chars.next()),
            (char, Some(name)) => name.push(char),
            (_, None) => {}
        }
    }
    names
}

/// The texts of these columns: strings without their quotes, nothing where an event lacks one.
fn column_cells(event: &RawValue, names: &[String]) -> Result<Vec<String>, Failure> {
    let values: HashMap<String, &RawValue> = parse(event.get())?;
    let text = |name: &String| {
        let value = values.get(name).map_or("", |value| value.get());
        // Half of a surrogate pair is no text.
        serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
    };
    Ok(names.iter().map(text).collect())
}

fn csv_row(event: &RawValue) -> Result<Vec<u8>, Failure> {
    let row: Shown<'_> = parse(event.get())?;
    let (seq, payload) = (row.seq.to_string(), row.payload.get());
    let texts = [&row.topic, &row.event_id, &row.timestamp, &row.source, payload, &seq, &row.received_at];
    let mut out = Vec::new();
    csv::append_row(&mut out, texts.map(str::as_bytes));
    Ok(out)
}

pub(super) fn for_people(event: &RawValue, paint: Paint) -> String {
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
    fn columns_are_texts_in_the_order_that_was_asked_for() {
        let names = column_names("payload.b,seq,payload.a\\,1,payload.c");
        assert_eq!(names, ["payload.b", "seq", "payload.a,1", "payload.c"]);
        let event = r#"{"seq":5,"payload.b":"x\n","payload.a,1":{"n":1.0}}"#;
        let cells = column_cells(&RawValue::from_string(event.to_owned()).unwrap(), &names).unwrap();
        assert_eq!(cells, ["x\n", "5", "{\"n\":1.0}", ""]);
    }

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
