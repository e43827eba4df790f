//! The description of the API for programs, in OpenAPI 3.1, made once from the table of routes.
//!
//! Methods, paths, parameters, keys and scopes come from the table, bounds from the limits, errors
//! from the codes of the wire. What only people know, such as summaries and the shape of bodies,
//! stands in JSON beside this module; tests compare it with the table and with real answers. This
//! room knows no request.

mod errors;
mod operations;
mod parameters;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sekali_wire::error_code::{Code, Stored};
use serde_json::{Map, Value, json};

use self::operations::{Description, describe, descriptions};
use crate::access::Scope;
use crate::pages::PageFile;

/// A route, as far as it is described here.
#[derive(Debug)]
pub(crate) struct RouteFacts {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The scope that a key must have. `None` is open to every client.
    pub(crate) scope: Option<Scope>,
    /// Names of the ways in which a key may be shown.
    pub(crate) schemes: Vec<&'static str>,
    /// Names of the query parameters that it takes, beside filters.
    pub(crate) parameters: Vec<&'static str>,
    /// Whether it takes the filters of events.
    pub(crate) takes_filters: bool,
    /// Whether it takes any parameter at all.
    pub(crate) takes_any: bool,
}

impl RouteFacts {
    /// Method and path.
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The document of these routes, ready to be sent. It is made once: there is one table of routes.
pub(crate) fn document(routes: impl Iterator<Item = RouteFacts>) -> &'static PageFile {
    static DOCUMENT: OnceLock<PageFile> = OnceLock::new();
    DOCUMENT.get_or_init(|| PageFile::new("application/json", format!("{}\n", build(routes)).into()))
}

/// Names and meanings of the groups of operations.
const TAGS: [(&str, &str); 14] = [
    ("Publish", "Events in"),
    ("Read", "Events out"),
    ("Repeats and conflicts", "Who sends again, and who says something else"),
    ("SQL", "Statements that read"),
    ("Consumers", "Named positions that the server keeps"),
    ("Service", "How the server does"),
    ("Pages", "The dashboard"),
    ("Elasticsearch", "Clients of Elasticsearch and OpenSearch"),
    ("OpenTelemetry", "OTLP over HTTP"),
    ("Loki", "Clients of Loki"),
    ("Splunk", "Clients of the HTTP Event Collector"),
    ("CloudEvents", "CloudEvents 1.0"),
    ("Webhooks", "Deliveries, signed or with a key"),
    ("Segment", "Segment's HTTP API"),
];

/// The ways in which a key may be shown, as schemes of HTTP.
const SCHEMES: [(&str, &str); 4] = [
    ("bearer", "An API key: Authorization: Bearer KEY. Only if the store has keys."),
    ("basic", "For clients of other protocols: the key as password."),
    ("apikey", "For clients of other protocols: Authorization: ApiKey KEY."),
    ("splunk", "For clients of other protocols: Authorization: Splunk KEY."),
];

const ABOUT: &str = "Stores every event exactly once, and acknowledges it once it is on disk. Each GET is answered to \
                     HEAD as well. Unknown parameters are refused. Input that cannot be parsed as HTTP, and methods \
                     that a path does not take (405), are the only errors that no operation lists.";

fn build(routes: impl Iterator<Item = RouteFacts>) -> Value {
    let descriptions = descriptions();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for (order, route) in routes.enumerate() {
        // Each has one: a test looks for it.
        let Some(description) = describe(&descriptions, &route) else { continue };
        let method = route.method.to_ascii_lowercase();
        paths.entry(route.path).or_default().insert(method, operation(order, &route, description));
    }
    let tags: Vec<_> = TAGS.iter().map(|(name, text)| json!({"name": name, "description": text})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sekali",
            "summary": "A log and event aggregator that stores every event once",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "headers": parameters::answer_headers(),
            "securitySchemes": security_schemes(),
        },
        "x-error-codes": Code::ALL.map(error_code),
    })
}

fn operation(order: usize, route: &RouteFacts, description: &Description) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route.method, route.path),
        "tags": [description.tag],
        "summary": description.summary,
        "responses": description.responses(route),
    });
    let parameters = parameters::of(route, description);
    let members = [
        ("description", description.description.as_ref().map(|text| json!(text))),
        ("parameters", (!parameters.is_empty()).then(|| parameters.into())),
        ("requestBody", description.request_body()),
        ("security", Some(security(route))),
        // Objects have no order, and people read the table in its own.
        ("x-order", Some(order.into())),
        ("x-endless", description.endless.then(|| true.into())),
    ];
    for (name, value) in members {
        value.into_iter().for_each(|value| operation[name] = value);
    }
    operation
}

/// `get_events_topic_event_id` for `GET /events/{topic}/{event_id}`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let begin = if path.starts_with("/_") { vec!["elastic"] } else { Vec::new() };
    let words: Vec<_> = begin.into_iter().chain(words).collect();
    let name = if words.is_empty() { "overview".to_owned() } else { words.join("_") };
    format!("{}_{name}", method.to_ascii_lowercase())
}

/// The keys that a request may show. A store without keys asks for none.
fn security(route: &RouteFacts) -> Value {
    // A webhook that is signed needs no key, and one that is not needs this scope.
    let scope = match route.scope {
        Some(scope) => scope.as_str(),
        None if route.path.starts_with("/webhooks/") => "publish",
        None => return json!([]),
    };
    let schemes = route.schemes.iter().map(|name| Map::from_iter([((*name).to_owned(), json!([scope]))]));
    schemes.chain([Map::new()]).map(Value::from).collect()
}

fn security_schemes() -> Value {
    let scheme =
        |(name, text): (&str, &str)| (name.to_owned(), json!({"type": "http", "scheme": name, "description": text}));
    Value::Object(SCHEMES.into_iter().map(scheme).collect())
}

/// The shapes of bodies.
fn schemas() -> Value {
    let mut schemas: Value = serde_json::from_str(include_str!("openapi/schemas.json")).unwrap_or_default();
    schemas["ErrorCode"] = json!({"type": "string", "enum": Code::ALL.map(Code::as_str)});
    schemas
}

fn error_code(code: Code) -> Value {
    json!({
        "code": code.as_str(),
        "status": code.status(),
        "retryable": code.is_retryable(),
        "retry_after_seconds": code.retry_after_seconds(),
        "stored": match code.stored_anything() {
            Stored::Nothing => "nothing",
            Stored::Unknown => "unknown",
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::described_routes;

    fn build() -> Value {
        super::build(described_routes())
    }

    #[test]
    fn every_route_is_described_once_and_nothing_else_is() {
        let described: Vec<_> = descriptions().into_iter().flat_map(|description| description.routes).collect();
        let unique: BTreeSet<_> = described.iter().cloned().collect();
        let served: BTreeSet<_> = described_routes().map(|route| route.name()).collect();
        assert_eq!(unique, served);
        assert_eq!(described.len(), unique.len());
    }

    #[test]
    fn operations_have_names_of_their_own_and_known_tags() {
        let document = build();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let mut names = BTreeSet::new();
        for (_, operation) in operations {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name}");
            assert!(TAGS.iter().any(|(tag, _)| operation["tags"][0] == *tag), "{name}");
        }
        assert_eq!(names.len(), described_routes().count());
    }

    #[test]
    fn every_reference_leads_to_something() {
        let document = build();
        let text = document.to_string();
        let mut count = 0;
        for rest in text.split("\"$ref\":\"#").skip(1) {
            let pointer = rest.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            count += 1;
        }
        assert!(count > 100, "{count}");
    }

    #[test]
    fn every_code_is_an_answer_of_some_operation() {
        let text = build()["paths"].to_string();
        for code in Code::ALL {
            let is_listed = text.contains(&format!("\"{}\"", code.as_str()));
            // It is the answer of a path, and of no operation.
            assert_eq!(is_listed, code != Code::MethodNotAllowed, "{}", code.as_str());
        }
    }
}
