//! `sekali fields`: which fields events have, and their most frequent values.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::cli::answer::parse;
use crate::cli::args::filter::FilterArgs;
use crate::cli::args::server_url::ServerUrlArg;
use crate::cli::failure::Failure;
use crate::cli::term::bars::{bars, fitted, group_name, share};
use crate::cli::term::output::{Output, Paint};
use crate::digits::grouped;
use sekali_client::EventsFilter;

/// Columns of a line where standard output does not say how many it has.
const COLUMNS: usize = 80;
/// Columns that names of fields may have.
const NAME_COLUMNS: usize = 28;

/// Arguments of `sekali fields`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    sekali fields --topic web.access\n  \
    sekali fields --field payload.status --where method=POST\n  \
    sekali fields --sample all --json | jq '.fields[].field'")]
pub(crate) struct FieldsArgs {
    /// Only this field, like payload.status, with up to 1,000 values
    #[arg(long)]
    field: Option<String>,
    /// Only fields under this path, like payload.user
    #[arg(long, value_name = "PATH", conflicts_with = "field")]
    under: Option<String>,
    /// Look at this many of the newest matching events, or all [default: 100000]
    #[arg(long, value_name = "N")]
    sample: Option<String>,
    /// Values of each field [default: 5, of a single field 20]
    #[arg(long, value_name = "N")]
    values: Option<u64>,
    /// Print the server's answer to GET /events/fields
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerUrlArg,
}

pub(crate) async fn run(args: FieldsArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let values = args.values.or_else(|| args.field.as_ref().map(|_| 20)).map(|values| values.to_string());
    let parameters = [("field", args.field), ("below", args.under), ("sample", args.sample), ("values", values)];
    let parameters: Vec<_> = parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let answer = client.ask(&["events", "fields"], &EventsFilter::from(args.filter), &parameters).await?;
    let mut output = Output::stdout();
    if args.json {
        output.line(answer.get())?;
        return output.flush();
    }
    let fields: Fields = parse(answer.get())?;
    let columns = output.columns().min(160);
    let columns = if output.is_terminal() { columns } else { COLUMNS };
    let lines = fields.render(columns, output.paint());
    lines.iter().try_for_each(|line| output.line(line))?;
    output.flush()
}

#[derive(Debug, Deserialize)]
struct Fields {
    events: u64,
    matching: Option<u64>,
    sampled: bool,
    complete: bool,
    fields: Vec<FieldSummary>,
    fields_left_out: u64,
}

#[derive(Debug, Deserialize)]
struct FieldSummary {
    field: String,
    events: u64,
    types: BTreeMap<String, u64>,
    distinct: Option<u64>,
    distinct_at_least: Option<u64>,
    values: Vec<ValueCount>,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(default)]
    percentiles: BTreeMap<String, Option<f64>>,
}

#[derive(Debug, Deserialize)]
struct ValueCount {
    value: Value,
    count: u64,
}

impl Fields {
    fn render(&self, columns: usize, paint: Paint) -> Vec<String> {
        let mut lines = match self.fields.as_slice() {
            [] => Vec::new(),
            [only] => only.alone(paint),
            several => table(several, columns, paint),
        };
        let which = match (self.sampled, self.matching) {
            (true, Some(matching)) => format!("of the newest {} of {} events", grouped(self.events), grouped(matching)),
            (true, None) => format!("of the newest {} events", grouped(self.events)),
            (false, _) => format!("of {} events", grouped(self.events)),
        };
        let left_out = match self.fields_left_out {
            0 => String::new(),
            more => format!("; {} more fields", grouped(more)),
        };
        lines.push(paint.dim(format!("{which}{left_out}")));
        if !self.complete {
            lines.push(paint.yellow("not all were read"));
        }
        lines
    }
}

fn table(fields: &[FieldSummary], columns: usize, paint: Paint) -> Vec<String> {
    let names: Vec<_> = fields.iter().map(|field| fitted(&field.field, NAME_COLUMNS)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("field".len());
    let rest = columns.saturating_sub(width + 2 + 13 + 2).max(10);
    let mut lines = vec![paint.bold(format!("{:<width$}  {:>13}  values", "field", "events"))];
    for (field, name) in fields.iter().zip(&names) {
        let padding = width.saturating_sub(name.chars().count());
        let values = fitted(&field.values(), rest);
        let line = format!("{}{:padding$}  {:>13}  {values}", paint.cyan(name), "", grouped(field.events));
        lines.push(line.trim_end().to_owned());
    }
    lines
}

impl FieldSummary {
    /// The values on one line.
    fn values(&self) -> String {
        if let Some(range) = self.range() {
            return range;
        }
        match (self.distinct, self.distinct_at_least) {
            (_, _) if !self.values.is_empty() => {
                let value = |found: &ValueCount| {
                    format!("{} {}", group_name(std::slice::from_ref(&found.value)), share(found.count, self.events))
                };
                self.values.iter().map(value).collect::<Vec<_>>().join(", ")
            }
            (None, Some(more)) => format!("more than {} different", grouped(more)),
            _ => self.types.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        }
    }

    fn range(&self) -> Option<String> {
        let (min, max) = self.min.zip(self.max)?;
        let percentile = |name: &str| self.percentiles.get(name).copied().flatten();
        let percentiles = [("50", "median"), ("99", "p99")];
        let percentiles = percentiles.iter().filter_map(|(name, word)| Some(format!(", {word} {}", percentile(name)?)));
        Some(format!("{min} to {max}{}", percentiles.collect::<String>()))
    }

    /// The same as a table of its own.
    fn alone(&self, paint: Paint) -> Vec<String> {
        let rows: Vec<_> =
            self.values.iter().map(|found| (group_name(std::slice::from_ref(&found.value)), found.count)).collect();
        let mut lines = if rows.is_empty() { Vec::new() } else { bars(&self.field, &rows, self.events, paint) };
        lines.extend(self.range());
        let distinct = match (self.distinct, self.distinct_at_least) {
            (Some(distinct), _) => format!("{} different values", grouped(distinct)),
            (None, Some(more)) => format!("more than {} different values", grouped(more)),
            (None, None) => "no single values".to_owned(),
        };
        lines.push(format!("{distinct} in {} events", grouped(self.events)));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"events":100000,"matching":2000000,"sampled":true,"complete":true,"fields":[
        {"field":"source","events":100000,"types":{"string":100000},"distinct":20,"values":[{"value":"host-07","count":5102},{"value":"host-01","count":5000}]},
        {"field":"payload.ms","events":25011,"types":{"number":25011},"distinct":800,"min":0.0,"max":899.0,"percentiles":{"50":450.4,"90":800.0,"99":889.1},"values":[{"value":5,"count":40}]},
        {"field":"payload.client","events":50012,"types":{"string":50012},"distinct":null,"distinct_at_least":1000,"values":[]},
        {"field":"payload.a_very_long_name.that.does.not.fit","events":1,"types":{"object":1},"distinct":0,"values":[]}],
        "fields_left_out":3}"#;

    #[test]
    fn fields_are_a_table_of_80_columns() {
        let fields: Fields = serde_json::from_str(ANSWER).unwrap();
        let lines = fields.render(80, Paint::PLAIN);
        expect_test::expect![[r#"
            field                                events  values
            source                              100,000  host-07 5.1%, host-01 5.0%
            payload.ms                           25,011  0 to 899, median 450.4, p99 889.1
            payload.client                       50,012  more than 1,000 different
            payload.a_very_long_name.th…              1  object
            of the newest 100,000 of 2,000,000 events; 3 more fields"#]]
        .assert_eq(&lines.join("\n"));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn one_field_has_bars() {
        let mut fields: Fields = serde_json::from_str(ANSWER).unwrap();
        fields.fields.truncate(1);
        let lines = fields.render(80, Paint::PLAIN);
        assert!(lines[1].starts_with("host-07") && lines[1].ends_with('█'), "{lines:?}");
        assert_eq!(lines[3], "20 different values in 100,000 events");
    }
}
