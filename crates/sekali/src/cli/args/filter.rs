//! Options that select events, the same for every command that reads them.

use clap::Args;

use crate::cli::args::times::moment;
use sekali_client::EventsFilter;

/// The events that a command is about.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(crate) struct FilterArgs {
    /// Of this topic, in which * stands for any characters. An option given twice means either; of
    /// different options all must hold
    #[arg(long)]
    topic: Vec<String>,
    /// Not of this topic
    #[arg(long, value_name = "TOPIC")]
    not_topic: Vec<String>,
    /// At or after this time, like 2025-10-24, 2025-10-24T21:00:00+07:00, 1h, 7d, today or
    /// yesterday; UTC unless it has an offset
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    until: Option<String>,
    /// Of this source
    #[arg(long)]
    source: Vec<String>,
    /// Not of this source
    #[arg(long, value_name = "SOURCE")]
    not_source: Vec<String>,
    /// With this id
    #[arg(long, value_name = "ID")]
    event_id: Vec<String>,
    /// With this value in the payload, like user.roles.0=admin
    #[arg(long = "where", value_name = "PATH=VALUE", value_parser = condition)]
    conditions: Vec<(String, String)>,
    /// Without this value there
    #[arg(long = "not-where", value_name = "PATH=VALUE", value_parser = condition)]
    exclusions: Vec<(String, String)>,
    /// With a number there, from this one on, like duration_ms=500
    #[arg(long, value_name = "PATH=NUMBER", value_parser = bound)]
    min: Vec<(String, String)>,
    /// With a number there that is less than this one
    #[arg(long, value_name = "PATH=NUMBER", value_parser = bound)]
    below: Vec<(String, String)>,
    /// With a text there that this regular expression matches, like 'path=^/api/'
    #[arg(long = "match", value_name = "PATH=REGEX", value_parser = condition)]
    patterns: Vec<(String, String)>,
    /// With something at this path of the payload, if only null
    #[arg(long, value_name = "PATH")]
    has: Vec<String>,
    /// With this text anywhere in the payload, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    grep: Vec<String>,
}

impl From<FilterArgs> for EventsFilter {
    fn from(args: FilterArgs) -> Self {
        let mut parameters = Vec::new();
        let mut add = |name: &str, values: Vec<String>| {
            parameters.extend(values.into_iter().map(|value| (name.to_owned(), value)));
        };
        add("topic", args.topic);
        add("not.topic", args.not_topic);
        add("since", args.since.into_iter().collect());
        add("until", args.until.into_iter().collect());
        add("source", args.source);
        add("not.source", args.not_source);
        add("event_id", args.event_id);
        add("has", args.has.iter().map(|path| format!("payload.{path}")).collect());
        add("q", args.grep);
        for (prefix, conditions) in [
            ("payload.", args.conditions),
            ("not.payload.", args.exclusions),
            ("min.payload.", args.min),
            ("below.payload.", args.below),
            ("match.payload.", args.patterns),
        ] {
            parameters.extend(conditions.into_iter().map(|(path, value)| (format!("{prefix}{path}"), value)));
        }
        Self { parameters }
    }
}

fn condition(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("write it like user.id=42")?;
    Ok((path.to_owned(), value.to_owned()))
}

fn bound(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(_, number)| number.parse::<f64>().is_ok_and(f64::is_finite));
    let (path, number) = parts.ok_or("write it like duration_ms=500")?;
    Ok((path.to_owned(), number.to_owned()))
}
