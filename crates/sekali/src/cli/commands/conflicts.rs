//! `sekali conflicts`: events that were sent with the key of a stored one and other content.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cli::answer::parse;
use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::commands::count::GroupCounts;
use crate::cli::failure::Failure;
use crate::cli::term::bars::fitted;
use crate::cli::term::output::{Output, Paint, note};
use crate::cli::term::waiting::patiently;
use sekali_client::{Client, EventsFilter, RetryPolicy};
use sekali_wire::escape::escape;

/// Conflicts of a page.
const PAGE_CONFLICTS: u64 = 100;
/// How long a page is retried.
const RETRY_FOR: Duration = Duration::from_secs(30);
/// Columns that a difference may have.
const DIFFERENCE_COLUMNS: usize = 76;

/// Arguments of `sekali conflicts`.
#[derive(Debug, Args)]
#[command(after_help = "Filters look at the event that was sent. A member like sent_at or attempt inside the payload \
    makes every retry a conflict: --by path finds it.\n\n\
    Examples:\n  \
    sekali conflicts --limit 5\n  \
    sekali conflicts --by path --topic orders\n  \
    sekali conflicts --by topic,source\n  \
    sekali conflicts --json | jq -r '.differences[].path'")]
pub(crate) struct ConflictsArgs {
    /// Count them by where the two events differ (path), or by fields like topic,source
    #[arg(long, value_name = "FIELDS", conflicts_with = "limit")]
    by: Option<String>,
    /// The most groups to list
    #[arg(long, value_name = "N", requires = "by", default_value_t = 10)]
    top: u64,
    /// The newest ones, this many; 0 is all, oldest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u64,
    /// Print one conflict a line, or the server's answer to GET /conflicts/count, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: ConflictsArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let filter = EventsFilter::from(args.filter);
    let mut output = Output::stdout();
    match args.by {
        Some(by) => count(&client, &filter, by, args.top, args.json, &mut output).await?,
        None => list(&client, filter, args.limit, args.json, &mut output).await?,
    }
    output.flush()
}

async fn count(
    client: &Client,
    filter: &EventsFilter,
    by: String,
    top: u64,
    json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let is_by_path = by == "path";
    let parameters = [("by", by), ("top", top.to_string())];
    let answer = client.ask(&["conflicts", "count"], filter, &parameters).await?;
    if json {
        return output.line(answer.get());
    }
    let counts: GroupCounts = parse(answer.get())?;
    let lines = counts.render("conflicts", output.paint());
    lines.iter().try_for_each(|line| output.line(line))?;
    if let Some(path) = counts.largest().filter(|_| is_by_path) {
        output.line(format_args!("if {} says how an event was sent, leave it out of the event", fitted(&path, 24)))?;
    }
    Ok(())
}

async fn list(
    client: &Client,
    mut filter: EventsFilter,
    limit: u64,
    json: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let (order, mut left) = if limit == 0 { ("asc", u64::MAX) } else { ("desc", limit) };
    filter.parameters.push(("order".to_owned(), order.to_owned()));
    let mut after: Option<String> = None;
    let mut shown = 0_u64;
    loop {
        let mut parameters = vec![("limit", left.min(PAGE_CONFLICTS).to_string())];
        parameters.extend(after.clone().map(|after| ("after", after)));
        let page =
            patiently(RetryPolicy::lasting(RETRY_FOR), false, || client.page(&["conflicts"], &filter, &parameters));
        let page = page.await?;
        for conflict in &page.events {
            if json {
                output.line(conflict.get().replace(['\n', '\r'], " "))?;
            } else {
                let found: ShownConflict<'_> = parse(conflict.get())?;
                found.render(output.paint()).iter().try_for_each(|line| output.line(line))?;
            }
        }
        shown += page.events.len() as u64;
        left = left.saturating_sub(page.events.len() as u64);
        output.flush()?;
        after = page.next;
        if after.is_none() || left == 0 {
            break;
        }
    }
    if shown == 0 && !json {
        note("no conflicts");
    } else if after.is_some() && limit > 0 && !json {
        note(format_args!("these are the newest {shown}: --limit 0 shows all, --by path counts where they differ"));
    }
    Ok(())
}

/// A conflict, as the server says it.
#[derive(Deserialize)]
struct ShownConflict<'a> {
    topic: String,
    event_id: String,
    stored: StoredSide,
    sent: SentSide,
    #[serde(borrow)]
    differences: Vec<ShownDifference<'a>>,
    differences_left_out: u64,
    late_seconds: Option<f64>,
}

#[derive(Deserialize)]
struct StoredSide {
    seq: u64,
    expired: bool,
}

#[derive(Deserialize)]
struct SentSide {
    source: String,
    received_at: String,
}

#[derive(Deserialize)]
struct ShownDifference<'a> {
    path: String,
    #[serde(borrow)]
    stored: Option<&'a RawValue>,
    #[serde(borrow)]
    sent: Option<&'a RawValue>,
}

impl ShownConflict<'_> {
    fn render(&self, paint: Paint) -> Vec<String> {
        let late = match self.late_seconds {
            Some(seconds) => format!("{seconds} s after seq {}", self.stored.seq),
            None => format!("seq {}", self.stored.seq),
        };
        let expired = if self.stored.expired { ", which has expired" } else { "" };
        let mut lines = vec![format!(
            "{} {} {} {} {}",
            paint.dim(escape(&self.sent.received_at)),
            paint.cyan(escape(&self.topic)),
            escape(&self.event_id),
            paint.dim(escape(&self.sent.source)),
            paint.dim(format!("{late}{expired}")),
        )];
        for difference in &self.differences {
            let text = |value: Option<&RawValue>| {
                value.map_or_else(|| "nothing".to_owned(), |value| value.get().replace(['\n', '\r'], " "))
            };
            let text = format!("{}: {} -> {}", difference.path, text(difference.stored), text(difference.sent));
            lines.push(format!("    {}", fitted(&text, DIFFERENCE_COLUMNS)));
        }
        if self.differences_left_out > 0 {
            lines.push(format!("    and {} more differences", self.differences_left_out));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_a_line_and_its_differences() {
        let answer = r#"{"topic":"orders","event_id":"1001","stored":{"seq":9,"expired":false,"payload":{}},
            "sent":{"seq":41,"source":"shop","received_at":"2025-10-24T22:02:02.9Z","payload":{}},
            "differences":[{"path":"payload.total","stored":9.5,"sent":9.0},{"path":"payload.try","sent":{
            "n":2}}],"differences_left_out":1,"late_seconds":3721.4}"#;
        let found: ShownConflict<'_> = serde_json::from_str(answer).unwrap();
        expect_test::expect![[r#"
            2025-10-24T22:02:02.9Z orders 1001 shop 3721.4 s after seq 9
                payload.total: 9.5 -> 9.0
                payload.try: nothing -> {             "n":2}
                and 1 more differences"#]]
        .assert_eq(&found.render(Paint::PLAIN).join("\n"));
    }
}
