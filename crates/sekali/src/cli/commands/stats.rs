//! `sekali stats`: counters and topics.

mod numbers;

use clap::Args;
use sekali_wire::stats::{Stats, Topic};
use sekali_wire::timestamp::Timestamp;

use self::numbers::FieldNumbers;
use crate::cli::answer::parse;
use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint};
use crate::digits::grouped;
use sekali_client::{Client, EventsFilter};
use sekali_wire::escape::escape;

/// Arguments of `sekali stats`.
#[derive(Debug, Args)]
#[command(after_help = "Counters are for the store's lifetime: they survive restarts.\n\n\
    Examples:\n  \
    sekali stats\n  \
    sekali stats --json | jq .duplicate_dropped\n  \
    sekali stats --field payload.duration_ms --by payload.path\n  \
    sekali stats --field delay --since 1h --percentiles 50,99,99.9")]
pub(crate) struct StatsArgs {
    /// Sum up this number of events: payload.duration_ms, delay (seconds until they came) or size
    /// (bytes)
    #[arg(long)]
    field: Option<String>,
    /// Sum it up by the values of up to three fields
    #[arg(long, value_name = "FIELDS", requires = "field")]
    by: Option<String>,
    /// The most groups to list
    #[arg(long, value_name = "N", requires = "by", default_value_t = 10)]
    top: u64,
    /// Percentiles, from 0 to 100 with commas between them [default: 50,90,99]
    #[arg(long, value_name = "LIST", requires = "field")]
    percentiles: Option<String>,
    /// Print the server's answer to GET /stats or GET /events/stats
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: StatsArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let mut output = Output::stdout();
    let filter = EventsFilter::from(args.filter);
    if let Some(field) = args.field {
        let by = args.by.map(|by| [("by", by), ("top", args.top.to_string())]);
        let mut parameters = vec![("field", field)];
        parameters.extend(by.into_iter().flatten());
        parameters.extend(args.percentiles.map(|percentiles| ("percentiles", percentiles)));
        return sum_up(&client, &filter, &parameters, args.json, &mut output).await;
    }
    if filter != EventsFilter::default() {
        return Err(Failure::new(Exit::Usage, "filters need --field: the counters are those of the whole store"));
    }
    let stats = client.stats().await?;
    if args.json {
        output.line(stats.get())?;
        return output.flush();
    }
    let topics = client.topics().await?;
    let stats: Stats = parse(stats.get())?;
    let topics: Vec<Topic> = parse(topics.get())?;
    for line in render(&stats, &topics, output.columns(), output.paint()) {
        output.line(line)?;
    }
    output.flush()
}

/// Prints the figures of a number of events.
async fn sum_up(
    client: &Client,
    filter: &EventsFilter,
    parameters: &[(&str, String)],
    json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let answer = client.ask(&["events", "stats"], filter, parameters).await?;
    if json {
        output.line(answer.get())?;
        return output.flush();
    }
    let numbers: FieldNumbers = parse(answer.get())?;
    let lines = numbers.render(output.paint());
    lines.iter().try_for_each(|line| output.line(line))?;
    output.flush()
}

fn render(stats: &Stats, topics: &[Topic], columns: usize, paint: Paint) -> Vec<String> {
    let conflicts = grouped(stats.conflicts);
    let mut lines = vec![
        figure("received", &paint.bold(right(&grouped(stats.received), 15)), ""),
        figure(
            "stored",
            &paint.green(right(&grouped(stats.unique_processed), 15)),
            &share(stats.unique_processed, stats),
        ),
        figure("duplicates", &right(&grouped(stats.duplicate_dropped), 15), &share(stats.duplicate_dropped, stats)),
        match stats.conflicts {
            0 => figure("conflicts", &right(&conflicts, 15), ""),
            _ => figure("conflicts", &paint.yellow(right(&conflicts, 15)), "see: sekali events --topic '$conflicts'"),
        },
    ];
    if stats.unidentified > 0 {
        let remark = "came without an id since the start: repeats are stored again";
        lines.push(figure("no id", &paint.yellow(right(&grouped(stats.unidentified), 15)), remark));
    }
    let store = stats.store.as_ref();
    if let Some(expired) = store.map(|store| store.expired).filter(|expired| expired.events > 0) {
        let remark = format!("kept no longer, {}; their ids still are", size(expired.bytes));
        lines.push(figure("expired", &right(&grouped(expired.events), 15), &remark));
    }
    lines.push(figure("uptime", &right(&uptime(stats.uptime_seconds), 15), ""));
    // A pass that goes on says nothing: its result does.
    if let Some((time, scrub)) = store.and_then(|store| Some((store.scrub.last_finished.as_ref()?, &store.scrub))) {
        let remark = format!("all of it, by {}", short(Some(*time)));
        lines.push(figure("self-check", &right(&size(scrub.last_bytes), 15), &remark));
    }
    let damage = store.iter().flat_map(|store| &store.damage);
    lines.extend(damage.map(|what| figure("damaged", &paint.yellow(escape(what)), "")));
    if topics.is_empty() {
        return lines;
    }
    lines.push(String::new());
    lines.extend(table(topics, columns, paint));
    let unlisted = stats.topic_count.saturating_sub(topics.len() as u64);
    if unlisted > 0 {
        lines.push(format!("and {} more, which GET /topics lists page by page", grouped(unlisted)));
    }
    lines
}

/// A heading and a line for each topic. Columns that the terminal lacks room for are left out.
fn table(topics: &[Topic], columns: usize, paint: Paint) -> Vec<String> {
    let names: Vec<_> = topics.iter().map(|topic| escape(&topic.topic)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("topic".len());
    let line = |name: String, padding: usize, [events, size, first, last]: [&str; 4]| {
        let mut line = format!("{name}{:padding$}  {events:>13}", "");
        if columns >= width + "  1,000,000,000  1000.0 MiB  2025-01-01 00:00".len() {
            line.push_str(&format!("  {size:>10}"));
        }
        if columns >= width + "  1,000,000,000  1000.0 MiB  2025-01-01 00:00  2025-01-01 00:00".len() {
            line.push_str(&format!("  {first:16}"));
        }
        format!("{line}  {last}")
    };
    let heading = line("topic".to_owned(), width - "topic".len(), ["events", "size", "first", "last"]);
    let mut lines = vec![paint.bold(heading)];
    for (topic, name) in topics.iter().zip(&names) {
        let (events, size) = (grouped(topic.events), size(topic.bytes));
        let (first, last) = (short(topic.first_timestamp), short(topic.last_timestamp));
        let padding = width.saturating_sub(name.chars().count());
        lines.push(line(paint.cyan(name), padding, [&events, &size, &first, &last]));
    }
    lines
}

/// A time to the minute, without the `Z`.
fn short(timestamp: Option<Timestamp>) -> String {
    let Some(timestamp) = timestamp else { return "-".to_owned() };
    let text = timestamp.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// Padded before it is painted: colour codes have no width.
fn right(text: &str, width: usize) -> String {
    format!("{text:>width$}")
}

fn figure(name: &str, value: &str, remark: &str) -> String {
    format!("{name:10}  {value}  {remark}").trim_end().to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
fn share(part: u64, stats: &Stats) -> String {
    match stats.received {
        0 => String::new(),
        whole => format!("{:.1}%", part as f64 * 100.0 / whole as f64),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts from float saturate")]
fn uptime(seconds: f64) -> String {
    let seconds = seconds as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1_024.0 {
            break;
        }
        (value, unit) = (value / 1_024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use sekali_wire::stats::{Expired, Scrub, Status, StoreStats};

    use super::*;

    fn empty() -> Stats {
        Stats {
            received: 0,
            unique_processed: 0,
            duplicate_dropped: 0,
            topics: Vec::new(),
            topic_count: 0,
            uptime_seconds: 61.0,
            conflicts: 0,
            unidentified: 0,
            status: Status::Ready,
            store: None,
            version: String::new(),
        }
    }

    #[test]
    fn the_table_is_aligned_and_names_conflicts() {
        let stats = Stats {
            received: 1_234_567,
            unique_processed: 1_000_000,
            duplicate_dropped: 234_567,
            conflicts: 2,
            unidentified: 7,
            uptime_seconds: 93_784.2,
            store: Some(StoreStats {
                expired: Expired { events: 4_000, bytes: 1_200_000 },
                damage: vec!["x.log is damaged at byte 64: event with seq 1 is lost; publish it again".to_owned()],
                scrub: Scrub {
                    last_finished: Some("2026-01-01T00:00:00Z".parse().unwrap()),
                    last_bytes: 212_000_000,
                    ..Scrub::default()
                },
                ..StoreStats::default()
            }),
            ..empty()
        };
        let topic = |name: &str, events, bytes| Topic {
            topic: name.to_owned(),
            events,
            bytes,
            first_timestamp: Some("2025-01-01T00:00:00Z".parse().unwrap()),
            last_timestamp: None,
        };
        let topics = [topic("a", 1, 200), topic("web.access", 999_999, 212_000_000)];
        expect_test::expect![[r#"
            received          1,234,567
            stored            1,000,000  81.0%
            duplicates          234,567  19.0%
            conflicts                 2  see: sekali events --topic '$conflicts'
            no id                     7  came without an id since the start: repeats are stored again
            expired               4,000  kept no longer, 1.1 MiB; their ids still are
            uptime              1 d 2 h
            self-check        202.2 MiB  all of it, by 2026-01-01 00:00
            damaged     x.log is damaged at byte 64: event with seq 1 is lost; publish it again

            topic              events        size  first             last
            a                       1       200 B  2025-01-01 00:00  -
            web.access        999,999   202.2 MiB  2025-01-01 00:00  -"#]]
        .assert_eq(&render(&stats, &topics, 80, Paint::PLAIN).join("\n"));
    }

    #[test]
    fn the_table_fits_the_terminal_and_keeps_names_whole() {
        let topic = |name: &str| Topic {
            topic: name.to_owned(),
            events: 9_999_999_999,
            bytes: u64::MAX,
            first_timestamp: Some("2025-01-01T00:00:00.123456789Z".parse().unwrap()),
            last_timestamp: Some("2025-01-01T00:00:00.123456789Z".parse().unwrap()),
        };
        for (name, columns) in [("web.access", 80), ("a.name.of.30.characters.at.all", 80), ("web.access", 48)] {
            for line in table(&[topic(name)], columns, Paint::PLAIN) {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
        }
        let narrow = table(&[topic("web.access")], 40, Paint::PLAIN).join("\n");
        assert!(narrow.contains("web.access") && !narrow.contains("size"), "{narrow}");
    }

    #[test]
    fn an_empty_store_has_no_percentages() {
        let stats = empty();
        expect_test::expect![[r#"
            received                  0
            stored                    0
            duplicates                0
            conflicts                 0
            uptime            1 min 1 s"#]]
        .assert_eq(&render(&stats, &[], 80, Paint::PLAIN).join("\n"));
    }
}
