//! `sekali count`: how many events match, and when they happened.

mod groups;
mod over_time;

use std::iter;

use clap::Args;

pub(crate) use self::groups::GroupCounts;
use self::over_time::{Bucket, Count, INTERVAL_S_MAX, count_sparsely, is_too_long};
use crate::cli::answer::parse;
use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint, note};
use crate::digits::grouped;
use sekali_client::EventsFilter;
use sekali_wire::timestamp::parse_length;

/// Columns of the longest bar.
const BAR_COLUMNS: u64 = 40;
/// Shorter runs of empty intervals are shown one by one.
const EMPTY_SHOWN_MAX: usize = 5;

/// Arguments of `sekali count`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    sekali count --topic web.access --where status=500\n  \
    sekali count --since 7d --interval 1h\n  \
    sekali count --by payload.status,source --top 20\n  \
    sekali count --grep timeout --interval 1d --json | jq '.buckets[].count'")]
pub(crate) struct CountArgs {
    /// Count over time, in intervals like 5m, 1h, 1d or 1w
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    interval: Option<i64>,
    /// Count by the values of up to three fields, like topic,payload.status
    #[arg(long, value_name = "FIELDS", conflicts_with = "interval")]
    by: Option<String>,
    /// The most groups to list
    #[arg(long, value_name = "N", requires = "by", default_value_t = 10)]
    top: u64,
    /// Print the server's answer to GET /events/count
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: CountArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let filter = EventsFilter::from(args.filter);
    let mut output = Output::stdout();
    if let Some(by) = args.by {
        let parameters = [("by", by), ("top", args.top.to_string())];
        let answer = client.ask(&["events", "count"], &filter, &parameters).await?;
        if args.json {
            output.line(answer.get())?;
        } else {
            let counts: GroupCounts = parse(answer.get())?;
            let lines = counts.render("events", output.paint());
            lines.iter().try_for_each(|line| output.line(line))?;
        }
        return output.flush();
    }
    let interval = args.interval.map(|seconds| format!("{seconds}s"));
    let count = match (client.count(&filter, interval.as_deref()).await, args.interval) {
        (Err(error), Some(seconds)) if is_too_long(&error) => {
            let count = count_sparsely(&client, &filter, seconds).await?;
            note("the events are far apart: intervals without events are left out");
            if args.json {
                output.json(&count)?;
            }
            count
        }
        (answer, _) => {
            let answer = answer?;
            if args.json {
                output.line(answer.get())?;
            }
            parse(answer.get())?
        }
    };
    if !args.json {
        let lines = render(&count, output.paint());
        lines.iter().try_for_each(|line| output.line(line))?;
    }
    output.flush()
}

fn seconds(text: &str) -> Result<i64, String> {
    let seconds = parse_length(text).map(|ns| ns / 1_000_000_000);
    let seconds = seconds.filter(|seconds| (1..=INTERVAL_S_MAX).contains(seconds));
    seconds.ok_or_else(|| "write it like 5m, 1h, 1d or 1w, up to 366d".to_owned())
}

fn render(count: &Count, paint: Paint) -> Vec<String> {
    let Count { count, interval_seconds, buckets } = count;
    if buckets.is_empty() {
        return vec![count.to_string()];
    }
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(1);
    let starts: Vec<_> = buckets.iter().map(|bucket| bucket.start.to_string()).collect();
    let width = starts.iter().map(String::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut next = 0;
    while let Some((bucket, start)) = buckets.get(next).zip(starts.get(next)) {
        let empty = empty_run(&buckets[next..]);
        let absent = next.checked_sub(1).map_or(0, |last| missing(&buckets[last], bucket, *interval_seconds));
        let left_out = if empty >= EMPTY_SHOWN_MAX { empty as u64 } else { 0 };
        if absent + left_out > 0 {
            let intervals = if absent + left_out == 1 { "interval" } else { "intervals" };
            let text = format!("{:>width$} {:>15} {intervals} without events", "…", grouped(absent + left_out));
            lines.push(paint.dim(text));
        }
        if left_out > 0 {
            next += empty;
            continue;
        }
        // Rounded up: something is seen of everything that is not nothing.
        let columns = (u128::from(bucket.count) * u128::from(BAR_COLUMNS)).div_ceil(u128::from(most));
        let bar: String = iter::repeat_n('█', columns as usize).collect();
        let start = paint.dim(format_args!("{start:<width$}"));
        lines.push(format!("{start} {:>15} {}", grouped(bucket.count), paint.cyan(bar)).trim_end().to_owned());
        next += 1;
    }
    lines.push(format!("{} events", grouped(*count)));
    lines
}

/// How many empty intervals come first.
fn empty_run(buckets: &[Bucket]) -> usize {
    buckets.iter().take_while(|bucket| bucket.count == 0).count()
}

/// How many intervals between two are not there.
fn missing(before: &Bucket, after: &Bucket, interval_seconds: u64) -> u64 {
    let seconds = after.start.0.saturating_sub(before.start.0).unsigned_abs() / 1_000_000_000;
    (seconds / interval_seconds.max(1)).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(answer: &str) -> String {
        render(&serde_json::from_str(answer).unwrap(), Paint::PLAIN).join("\n")
    }

    #[test]
    fn a_count_is_a_plain_number_for_scripts() {
        assert_eq!(rendered(r#"{"count":1234567}"#), "1234567");
    }

    #[test]
    fn a_count_over_time_has_bars() {
        let answer = r#"{"count":1003,"interval_seconds":60,"buckets":[{"start":"2025-10-24T21:00:00Z","count":1000},
            {"start":"2025-10-24T21:01:00Z","count":0},{"start":"2025-10-24T21:02:00Z","count":3}]}"#;
        expect_test::expect![[r#"
            2025-10-24T21:00:00Z           1,000 ████████████████████████████████████████
            2025-10-24T21:01:00Z               0
            2025-10-24T21:02:00Z               3 █
            1,003 events"#]]
        .assert_eq(&rendered(answer));
    }

    #[test]
    fn a_run_of_empty_intervals_is_one_line() {
        let bucket =
            |minute: u32, count: u64| format!(r#"{{"start":"2025-10-24T21:{minute:02}:00Z","count":{count}}}"#);
        let buckets: Vec<_> = (0..10).map(|minute| bucket(minute, u64::from(minute == 0 || minute == 9))).collect();
        let answer = format!(r#"{{"count":2,"interval_seconds":60,"buckets":[{}]}}"#, buckets.join(","));
        let shown = rendered(&answer);
        expect_test::expect![[r#"
            2025-10-24T21:00:00Z               1 ████████████████████████████████████████
                               …               8 intervals without events
            2025-10-24T21:09:00Z               1 ████████████████████████████████████████
            2 events"#]]
        .assert_eq(&shown);
        // Intervals that are not there look the same.
        let answer = format!(r#"{{"count":2,"interval_seconds":60,"buckets":[{},{}]}}"#, bucket(0, 1), bucket(9, 1));
        assert_eq!(rendered(&answer), shown);
    }

    #[test]
    fn an_interval_may_be_weeks() {
        assert_eq!((seconds("1w"), seconds("90s")), (Ok(604_800), Ok(90)));
        for wrong in ["", "1", "1y", "367d", "0h"] {
            assert!(seconds(wrong).unwrap_err().contains("1w"), "{wrong}");
        }
    }
}
