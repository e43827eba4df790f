//! The filters that every route takes that reads events.

use serde_json::{Map, Value, json};

use super::text::filter_meaning;
use crate::limits::FILTER_VALUES_MAX;
use crate::query::FILTER_PARAMETERS;

/// The part of a name that stands for any path of the payload.
const PATH: &str = "<path>";

/// A parameter for each filter. Those of places in the payload have names of their own for each
/// place, and are one parameter whose members are the parameters.
pub(super) fn filters() -> Vec<Value> {
    let (of_places, of_events): (Vec<_>, Vec<_>) = FILTER_PARAMETERS.into_iter().partition(|name| name.contains(PATH));
    let mut filters: Vec<_> = of_events.into_iter().map(of_event).collect();
    let patterns =
        of_places.iter().map(|name| (format!("^{}.+$", name.replace(PATH, "").replace('.', "\\.")), values()));
    filters.push(json!({
        "name": "payload", "in": "query", "style": "form", "explode": true, "x-names": of_places, "x-filter": true,
        "description": filter_meaning("payload.<path>"),
        "schema": {"type": "object", "patternProperties": patterns.collect::<Map<_, _>>(), "additionalProperties": false},
    }));
    filters
}

fn of_event(name: &str) -> Value {
    // Of times, the last one that is given would be a guess.
    let schema = if matches!(name, "since" | "until") { json!({"type": "string", "minLength": 1}) } else { values() };
    json!({"name": name, "in": "query", "style": "form", "explode": true, "x-filter": true, "description": filter_meaning(name), "schema": schema})
}

/// One value, or several that are alternatives.
fn values() -> Value {
    json!({"type": "array", "maxItems": FILTER_VALUES_MAX, "items": {"type": "string"}})
}
