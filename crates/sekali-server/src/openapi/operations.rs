//! Descriptions of operations: what the table of routes does not know.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{RouteFacts, errors};

/// A description that one or several routes share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// Methods and paths.
    pub(super) routes: Vec<String>,
    pub(super) tag: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    /// By media type: `schema`, and perhaps `example`.
    #[serde(default)]
    body: Option<BTreeMap<String, Value>>,
    /// By status.
    answers: BTreeMap<String, AnswerDescription>,
    /// Groups of error codes beside those that every route has.
    #[serde(default)]
    errors: Vec<String>,
    /// How a protocol words errors, by media type. Its statuses are its own.
    #[serde(default)]
    refusal: Option<BTreeMap<String, Value>>,
    /// Whether headers say where the parts of events are.
    #[serde(default)]
    pub(super) settings: bool,
    /// Headers of the request.
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// Whether its answer has no end.
    #[serde(default)]
    pub(super) endless: bool,
}

/// A good answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerDescription {
    description: String,
    /// Schemas or names of schemas, by media type.
    #[serde(default)]
    content: BTreeMap<String, Value>,
    /// Names of headers.
    #[serde(default)]
    headers: Vec<String>,
}

/// Every description.
pub(super) fn descriptions() -> Vec<Description> {
    let texts = [include_str!("operations.json"), include_str!("shippers.json")];
    // They are read by tests.
    texts.into_iter().flat_map(|text| serde_json::from_str::<Vec<_>>(text).unwrap_or_default()).collect()
}

/// The description of a route.
pub(super) fn describe<'d>(descriptions: &'d [Description], route: &RouteFacts) -> Option<&'d Description> {
    let name = route.name();
    descriptions.iter().find(|description| description.routes.contains(&name))
}

impl Description {
    /// The body that a request has.
    pub(super) fn request_body(&self) -> Option<Value> {
        let content = self.body.as_ref()?.iter().map(|(media_type, body)| {
            let mut body = body.clone();
            body["schema"] = schema(&body["schema"]);
            (media_type.clone(), body)
        });
        Some(json!({"required": true, "content": content.collect::<Map<_, _>>()}))
    }

    /// All answers, by status.
    pub(super) fn responses(&self, route: &RouteFacts) -> Value {
        let mut responses = match &self.refusal {
            Some(refusal) => errors::in_own_words(&content(refusal)),
            None => errors::responses(route, &self.errors),
        };
        for (status, answer) in &self.answers {
            let headers = answer.headers.iter().map(String::as_str);
            let mut response = json!({
                "description": answer.description,
                "headers": errors::headers(headers.chain(["X-Request-Id"])),
            });
            if !answer.content.is_empty() {
                response["content"] = content(&answer.content);
            }
            match responses.get_mut(status) {
                // One status, two meanings.
                Some(error) => {
                    let other = error["content"]["application/json"]["schema"].take();
                    let own = response["content"]["application/json"]["schema"].take();
                    error["content"]["application/json"]["schema"] = json!({"anyOf": [own, other]});
                    error["description"] = json!(format!("{}; {}", answer.description, error["description"]));
                }
                None => drop(responses.insert(status.clone(), response)),
            }
        }
        responses.into()
    }
}

fn content(by_media_type: &BTreeMap<String, Value>) -> Value {
    let content = by_media_type.iter().map(|(media_type, of)| (media_type.clone(), json!({"schema": schema(of)})));
    content.collect::<Map<_, _>>().into()
}

/// A schema, or the one of this name.
fn schema(of: &Value) -> Value {
    match of {
        Value::String(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
        schema => schema.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptions_can_be_read() {
        for text in [include_str!("operations.json"), include_str!("shippers.json")] {
            let read: Vec<Description> = serde_json::from_str(text).unwrap();
            assert!(read.len() > 10);
        }
        let schemas: Map<String, Value> = serde_json::from_str(include_str!("schemas.json")).unwrap();
        assert!(schemas.len() > 30);
    }
}
