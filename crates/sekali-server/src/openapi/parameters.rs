//! Parameters of operations: their types, bounds and defaults.

mod filters;
mod text;

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value, json};

use self::filters::filters;
use self::text::{ANSWER_HEADERS, SETTINGS, meaning, path_meaning};
use super::RouteFacts;
use super::operations::Description;
use crate::limits::{
    BUCKETS_AUTO_MAX, CONFLICTS_DEFAULT, CONFLICTS_MAX, CONSUMER_NAME_BYTES_MAX, CONTEXT_DEFAULT, CONTEXT_MAX,
    FACET_VALUES_MAX, PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX, RESENDERS_LISTED_DEFAULT, RESENDERS_MAX, SAMPLE_DEFAULT,
    SAMPLE_MAX, SAMPLE_MIN, SQL_WITHIN_DEFAULT, TOP_DEFAULT, TOP_MAX, TOPICS_LISTED_DEFAULT, TOPICS_LISTED_MAX,
    VALUES_DEFAULT, WAIT_MAX, WAIT_MIN, WITHIN_MAX, WITHIN_MIN,
};

/// All parameters of a route, in path, query and headers.
pub(super) fn of(route: &RouteFacts, description: &Description) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = in_path.map(|name| path_parameter(route.path, name)).collect();
    if route.takes_filters {
        parameters.extend(filters());
    }
    if route.takes_any {
        parameters.push(any());
    }
    parameters.extend(route.parameters.iter().filter_map(|name| query_parameter(route.path, name)));
    if description.settings {
        parameters.extend(SETTINGS.iter().map(|(name, text)| header(name, text)));
    }
    parameters.extend(description.headers.iter().map(|name| header(name, meaning(route.path, name))));
    parameters
}

/// Headers of answers, by name.
pub(super) fn answer_headers() -> Value {
    let header = |(name, text, kind): &(&str, &str, &str)| {
        ((*name).to_owned(), json!({"description": text, "schema": {"type": kind}}))
    };
    ANSWER_HEADERS.iter().map(header).collect::<Map<_, _>>().into()
}

fn path_parameter(path: &str, name: &str) -> Value {
    let mut schema = json!({"type": "string", "minLength": 1});
    if path.starts_with("/consumers/") {
        schema["pattern"] = json!(format!("^[A-Za-z0-9._-]{{1,{CONSUMER_NAME_BYTES_MAX}}}$"));
    }
    json!({"name": name, "in": "path", "required": true, "description": path_meaning(name), "schema": schema})
}

/// Any parameter: clients of other protocols send many that mean nothing here.
fn any() -> Value {
    json!({
        "name": "any", "in": "query", "style": "form", "explode": true, "x-names": [],
        "description": "Any parameter: those that mean nothing here are ignored. Those of POST /ingest mean the same.",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    })
}

fn header(name: &str, text: &str) -> Value {
    json!({"name": name, "in": "header", "description": text, "schema": {"type": "string", "pattern": "^[\\x20-\\x7e]*$"}})
}

/// One parameter of the query. `None` if it is not known here, which a test finds.
fn query_parameter(path: &str, name: &str) -> Option<Value> {
    let schema = schema(path, name)?;
    let mut parameter = json!({"name": name, "in": "query", "description": meaning(path, name), "schema": schema});
    if (path, name) == ("/events/stats", "field") {
        parameter["required"] = true.into();
    }
    Some(parameter)
}

fn schema(path: &str, name: &str) -> Option<Value> {
    Some(match (path, name) {
        ("/publish", "invalid") => choice(&["reject", "skip"]),
        ("/ingest", "invalid") => choice(&["quarantine", "reject"]),
        (_, "verbose" | "dry_run") => choice(&["false", "true"]),
        (_, "order") => choice(&["asc", "desc"]),
        ("/sql", "format") => choice(&["json", "ndjson", "csv"]),
        (_, "format") => choice(&["json", "ndjson", "csv", "parquet"]),
        // Streams have no bound, and pages PAGE_EVENTS_MAX.
        ("/events", "limit") => json!({"type": "integer", "minimum": 1, "default": PAGE_EVENTS_DEFAULT}),
        ("/consumers/{name}/events", "limit") => number(1..=PAGE_EVENTS_MAX, PAGE_EVENTS_DEFAULT),
        ("/conflicts", "limit") => number(1..=CONFLICTS_MAX, CONFLICTS_DEFAULT),
        ("/topics", "limit") => number(1..=TOPICS_LISTED_MAX, TOPICS_LISTED_DEFAULT),
        ("/duplicates", "top") => number(1..=RESENDERS_MAX as u64, RESENDERS_LISTED_DEFAULT),
        (_, "top") => number(1..=TOP_MAX, TOP_DEFAULT),
        (_, "values") => number(0..=FACET_VALUES_MAX as u64, VALUES_DEFAULT),
        ("/events/{topic}/{event_id}/context", "before" | "after") => number(0..=CONTEXT_MAX, CONTEXT_DEFAULT),
        (_, "auto") => json!({"type": "integer", "minimum": 1, "maximum": BUCKETS_AUTO_MAX}),
        (_, "sample") => json!({
            "oneOf": [{"type": "integer", "minimum": SAMPLE_MIN, "maximum": SAMPLE_MAX}, {"const": "all"}],
            "default": SAMPLE_DEFAULT,
        }),
        ("/sql", "within") => time(WITHIN_MIN..=WITHIN_MAX, Some(SQL_WITHIN_DEFAULT)),
        (_, "within") => time(WITHIN_MIN..=WITHIN_MAX, None),
        (_, "wait") => time(WAIT_MIN..=WAIT_MAX, None),
        (_, "interval") => json!({"type": "string", "pattern": "^[0-9]+[smhd]$", "examples": ["1m"]}),
        (_, "percentiles") => json!({
            "type": "string", "pattern": "^[0-9.]+(,[0-9.]+){0,15}$", "default": "50,90,99",
        }),
        ("/events/stream", "from") => json!({"type": "string", "default": "now"}),
        (_, "after" | "download" | "columns" | "by" | "same" | "field" | "below" | "compare")
        | ("/ingest", "topic" | "id" | "timestamp" | "source" | "records") => json!({"type": "string", "minLength": 1}),
        _ => return None,
    })
}

/// One of these; the first is the default.
fn choice(choices: &[&str]) -> Value {
    json!({"type": "string", "enum": choices, "default": choices.first()})
}

fn number(range: RangeInclusive<u64>, default: u64) -> Value {
    json!({"type": "integer", "minimum": range.start(), "maximum": range.end(), "default": default})
}

/// A length of time, in milliseconds or seconds.
fn time(range: RangeInclusive<Duration>, default: Option<Duration>) -> Value {
    let words = |time: &Duration| match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    };
    let mut schema = json!({
        "type": "string", "pattern": "^[0-9]+m?s$", "examples": ["500ms", "2s"],
        "x-minimum": words(range.start()), "x-maximum": words(range.end()),
    });
    default.iter().for_each(|default| schema["default"] = words(default).into());
    schema
}
