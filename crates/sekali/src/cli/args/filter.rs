//! Flags that say which events are meant, the same for every command that reads them.

use clap::Args;

use crate::cli::args::times::moment;
use sekali_client::EventsFilter;

/// Which events. With several flags, those for which all of it holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(crate) struct FilterArgs {
    /// Only events of this topic
    #[arg(long)]
    topic: Option<String>,
    /// Only events at or after this time, like 2025-10-24, 2025-10-24T21:00:00+07:00, 1h, 7d, today
    /// or yesterday; UTC unless it has an offset
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    since: Option<String>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    until: Option<String>,
    /// Only events of this source
    #[arg(long)]
    source: Option<String>,
    /// Only events with this id
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    /// Only events whose payload has this value at this path, like user.roles.0=admin; may be
    /// repeated
    #[arg(long = "where", value_name = "PATH=VALUE", value_parser = condition)]
    conditions: Vec<(String, String)>,
    /// Only events with this text in the payload, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
}

impl From<FilterArgs> for EventsFilter {
    fn from(args: FilterArgs) -> Self {
        let FilterArgs { topic, since, until, source, event_id, conditions, grep } = args;
        Self { topic, since, until, source, event_id, payload: conditions, text: grep }
    }
}

fn condition(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("write it like user.id=42")?;
    Ok((path.to_owned(), value.to_owned()))
}
