//! `sekali count`: how many events match, and when they happened.

use clap::Args;
use serde::Deserialize;

use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, Paint};
use crate::digits::grouped;
use sekali_wire::escape::escape;

/// Columns of the longest bar.
const BAR_COLUMNS: u64 = 40;

/// Arguments of `sekali count`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    sekali count --topic web.access --where status=500\n  \
    sekali count --since 7d --interval 1h\n  \
    sekali count --grep timeout --interval 1d --json | jq '.buckets[].count'")]
pub(crate) struct CountArgs {
    /// Count over time, in intervals like 5m, 1h, 1d or 1w
    #[arg(long, value_name = "TIME")]
    interval: Option<String>,
    /// Print the server's answer to GET /events/count
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerUrlArg,
}

#[derive(Deserialize)]
struct Count {
    count: u64,
    #[serde(default)]
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    start: String,
    count: u64,
}

pub(crate) async fn run(args: CountArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let answer = client.count(&args.filter.into(), args.interval.as_deref()).await?;
    let mut output = Output::stdout();
    if args.json {
        output.line(answer.get())?;
        return output.flush();
    }
    let count: Count = serde_json::from_str(answer.get())
        .map_err(|error| Failure::new(Exit::Failed, format!("the server's answer makes no sense: {error}")))?;
    let paint = output.paint();
    for line in render(&count, paint) {
        output.line(line)?;
    }
    output.flush()
}

fn render(count: &Count, paint: Paint) -> Vec<String> {
    let most = count.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(1);
    let starts = count.buckets.iter().map(|bucket| bucket.start.len()).max().unwrap_or(0);
    let mut lines: Vec<_> = count
        .buckets
        .iter()
        .map(|bucket| {
            // Rounded up: something is seen of everything that is not nothing.
            let columns = (u128::from(bucket.count) * u128::from(BAR_COLUMNS)).div_ceil(u128::from(most));
            let bar = "█".repeat(columns as usize);
            let start = format!("{:<starts$}", escape(&bucket.start));
            format!("{} {:>15} {}", paint.dim(start), grouped(bucket.count), paint.cyan(bar)).trim_end().to_owned()
        })
        .collect();
    lines.push(if count.buckets.is_empty() {
        count.count.to_string()
    } else {
        format!("{} events", grouped(count.count))
    });
    lines
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
}
