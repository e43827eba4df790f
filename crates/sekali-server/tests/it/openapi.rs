//! `GET /openapi.json` agrees with the table of routes, with the server, and with the examples of
//! `docs/API.md`.

use std::collections::BTreeSet;

use sekali_server::http::{Code, HeaderClass, ROUTES, Route, SHIPPER_ROUTES};
use serde_json::{Value, json};

use crate::api_examples::{Block, blocks, repository};
use crate::server::{Answer, TestServer, event};

fn document(server: &TestServer) -> Value {
    server.get("/openapi.json").expect_status(200).json()
}

/// Names of the query parameters of an operation, as the table writes them.
fn documented(document: &Value, method: &str, path: &str) -> BTreeSet<String> {
    let operation = &document["paths"][path][method.to_ascii_lowercase()];
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_query = parameters.filter(|parameter| parameter["in"] == "query");
    let names = in_query.flat_map(|parameter| match parameter["x-names"].as_array() {
        Some(names) => names.clone(),
        None => vec![parameter["name"].clone()],
    });
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Checks the bodies of answers against what the document says of them.
struct Shapes {
    document: Value,
}

impl Shapes {
    #[track_caller]
    fn check(&self, method: &str, path: &str, status: u16, body: &Value) {
        let key = format!("{method} {path} {status}");
        let operation = &self.document["paths"][path][method.to_ascii_lowercase()];
        let answer = &operation["responses"][status.to_string()];
        assert!(answer.is_object(), "{key} is not documented: {body}");
        let schema = &answer["content"]["application/json"]["schema"];
        let problem = self.problem(schema, body);
        assert_eq!(problem, None, "{key} in {body}");
    }

    #[track_caller]
    fn check_answer(&self, method: &str, path: &str, answer: &Answer) {
        self.check(method, path, answer.status, &answer.json());
    }

    /// Where and why a value has not this shape.
    fn problem(&self, schema: &Value, value: &Value) -> Option<String> {
        let members = schema.as_object().expect("a schema is an object");
        members.iter().find_map(|(keyword, rule)| self.broken(schema, keyword, rule, value))
    }

    fn broken(&self, schema: &Value, keyword: &str, rule: &Value, value: &Value) -> Option<String> {
        let wrong = |is_right: bool| (!is_right).then(|| format!("{keyword} {rule} is broken by {value}"));
        match keyword {
            // Any object has the shape of some columns.
            "$ref" if *rule == "#/components/schemas/Columns" => wrong(false),
            "$ref" => self.problem(self.document.pointer(&rule.as_str()?[1..]).expect("a reference"), value),
            "allOf" => rule.as_array()?.iter().find_map(|part| self.problem(part, value)),
            "anyOf" | "oneOf" => {
                let problems: Option<Vec<_>> = rule.as_array()?.iter().map(|part| self.problem(part, value)).collect();
                problems.map(|problems| problems.join(" and "))
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                wrong(types.iter().any(|kind| is_of(kind.as_str().unwrap(), value)))
            }
            "enum" => wrong(rule.as_array()?.contains(value)),
            "const" => wrong(rule == value),
            "minimum" => wrong(value.as_f64()? >= rule.as_f64()?),
            "maximum" => wrong(value.as_f64()? <= rule.as_f64()?),
            "minLength" => wrong(value.as_str()?.len() as u64 >= rule.as_u64()?),
            "maxItems" => wrong(value.as_array()?.len() as u64 <= rule.as_u64()?),
            "items" => value.as_array()?.iter().find_map(|element| self.problem(rule, element)),
            "required" => {
                let missing = |name: &&Value| {
                    value.as_object().is_some_and(|members| !members.contains_key(name.as_str().unwrap()))
                };
                rule.as_array()?.iter().find(missing).map(|name| format!("{name} is missing in {value}"))
            }
            "properties" => value.as_object()?.iter().find_map(|(name, member)| self.problem(rule.get(name)?, member)),
            "additionalProperties" => {
                let is_more = |name: &str| schema["properties"].get(name).is_none();
                value.as_object()?.iter().filter(|(name, _)| is_more(name)).find_map(|(name, member)| match rule {
                    Value::Bool(false) => Some(format!("{name} is not documented in {value}")),
                    rule => self.problem(rule, member),
                })
            }
            "description" | "examples" | "format" => None,
            _ => panic!("this test does not know the keyword {keyword}"),
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        _ => panic!("this test does not know the type {kind}"),
    }
}

#[test]
fn a_shape_is_broken_by_a_member_too_many_one_too_few_and_a_wrong_one() {
    let shapes = Shapes { document: document(&TestServer::start()) };
    let problem = |body: Value| shapes.problem(&json!({"$ref": "#/components/schemas/Exists"}), &body);
    assert_eq!(problem(json!({"received": 1, "known": 0, "exists": [true]})), None);
    for wrong in [
        json!({"received": 1, "known": 0}),
        json!({"received": 1, "known": 0, "exists": [], "more": 1}),
        json!({"received": -1, "known": 0, "exists": []}),
        json!({"received": 1, "known": 0, "exists": ["yes"]}),
        json!([]),
    ] {
        assert!(problem(wrong.clone()).is_some(), "{wrong}");
    }
}

#[test]
fn routes_of_the_document_and_of_the_table_are_the_same() {
    let document = document(&TestServer::start());
    assert_eq!(document["openapi"], "3.1.0");
    let operations = document["paths"].as_object().unwrap().iter();
    let documented: BTreeSet<_> = operations
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| (method, path)))
        .map(|(method, path)| format!("{} {path}", method.to_ascii_uppercase()))
        .collect();
    let served: BTreeSet<_> = ROUTES.iter().chain(&SHIPPER_ROUTES).map(Route::name).collect();
    assert_eq!(documented, served);
}

#[test]
fn parameters_of_the_document_are_those_that_the_server_takes() {
    let server = TestServer::start();
    let document = document(&server);
    let asks = |route: &&Route| {
        route.headers == HeaderClass::Data && !["/livez", "/readyz", "/openapi.json"].contains(&route.path)
    };
    let mut count = 0;
    for route in ROUTES.iter().filter(asks) {
        let path = route.path.replace(['{', '}'], "");
        let request = server.request(route.method.as_str(), &format!("{path}?no.such.parameter=1"));
        let request = if route.method == "GET" { request } else { request.body("{}") };
        let answer = request.header("content-type", "application/json").send().expect_error(400, "invalid_parameter");
        let allowed = answer.json()["errors"][0]["allowed"].as_array().unwrap().clone();
        let allowed: BTreeSet<_> = allowed.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        assert_eq!(documented(&document, route.method.as_str(), route.path), allowed, "{}", route.name());
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn names_in_paths_are_parameters_of_the_document() {
    let document = document(&TestServer::start());
    for route in ROUTES.iter().chain(&SHIPPER_ROUTES) {
        let named: Vec<_> = route.path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let documented: Vec<_> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .inspect(|parameter| assert_eq!(parameter["required"], true))
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(documented, named, "{}", route.name());
    }
}

#[test]
fn the_bounds_of_numbers_are_those_of_the_server() {
    let server = TestServer::start();
    server.publish(&event("topic", "event_id")).expect_status(202);
    server.request("PUT", "/consumers/name").body("{}").send().expect_status(201);
    let document = document(&server);
    let mut count = 0;
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let parameters = document["paths"][route.path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["schema"]["type"] == "integer") {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let path = route.path.replace(['{', '}'], "");
            let more = match (route.path, name) {
                ("/events/stats", _) => "&field=size",
                // More values than 100 are for one field only.
                (_, "values") => "&field=source",
                _ => "",
            };
            let ask = |value: i64| server.get(&format!("{path}?{name}={value}{more}"));
            let is_bad = |answer: Answer| answer.status == 400 && answer.json()["code"] == "invalid_parameter";
            let min = schema["minimum"].as_i64().unwrap();
            assert!(is_bad(ask(min - 1)), "{path} {name}={}", min - 1);
            assert!(!is_bad(ask(min)), "{path} {name}={min}");
            if let Some(max) = schema["maximum"].as_i64() {
                assert!(!is_bad(ask(max)), "{path} {name}={max}");
                assert!(is_bad(ask(max + 1)), "{path} {name}={}", max + 1);
                count += 1;
            }
        }
    }
    assert!(count >= 12, "{count}");
}

#[test]
fn every_error_code_is_listed_with_its_status() {
    let document = document(&TestServer::start());
    let listed: Vec<_> = document["x-error-codes"].as_array().unwrap().clone();
    assert_eq!(listed.len(), Code::ALL.len());
    for (listed, code) in listed.iter().zip(Code::ALL) {
        assert_eq!((&listed["code"], &listed["status"]), (&json!(code.as_str()), &json!(code.status())));
        assert_eq!(listed["retry_after_seconds"], json!(code.retry_after_seconds()));
    }
}

/// The route that a heading of the page names, and the status of its good answers.
fn route_of(heading: &str) -> Option<(&str, &str, u16)> {
    let (method, path) = heading.strip_prefix("## `")?.strip_suffix('`')?.split_once(' ')?;
    let status = match path {
        "/publish" | "/ingest" => 202,
        _ => 200,
    };
    Some((method, path, status))
}

#[test]
fn examples_of_the_documentation_have_the_documented_shapes() {
    let shapes = Shapes { document: document(&TestServer::start()) };
    let text = std::fs::read_to_string(repository().join("docs/API.md")).unwrap();
    let mut checked = 0;
    for Block { heading, section, text, .. } in blocks(&text).iter().filter(|block| block.language == "json") {
        // Of some columns, which are any object.
        if heading.contains("/context") {
            continue;
        }
        let value: Value = serde_json::from_str(text).unwrap();
        let Some((method, path, status)) = route_of(section) else {
            assert_eq!(heading, "## Errors");
            shapes.check("POST", "/publish", 422, &value);
            continue;
        };
        // The example of the page leaves members out that it explains below.
        if path == "/stats" {
            continue;
        }
        shapes.check(method, path, status, &value);
        checked += 1;
    }
    assert!(checked >= 14, "{checked}");
}

#[test]
fn answers_have_the_documented_shapes() {
    let server = TestServer::start();
    let shapes = Shapes { document: document(&server) };
    for number in 0..30 {
        let mut one = event(if number % 2 == 0 { "even" } else { "odd" }, &number.to_string());
        one["payload"]["ms"] = json!(number * 7);
        server.publish(&one).expect_status(202);
        one["payload"]["ms"] = json!(-1);
        shapes.check_answer("POST", "/publish", &server.publish(&one));
    }
    let body = json!([event("a", "1"), event("a", "1")]).to_string();
    for query in ["verbose=true", "dry_run=true", "invalid=skip"] {
        let answer = server.request("POST", &format!("/publish?{query}")).body(body.clone()).send();
        shapes.check_answer("POST", "/publish", &answer);
    }
    for (path, query) in [
        ("/events", "?limit=5"),
        ("/events/count", "?by=topic,source&interval=1d"),
        ("/events/count", "?auto=10"),
        ("/events/fields", "?compare=topic%3Dodd&values=3"),
        ("/events/fields", "?field=payload.ms"),
        ("/events/stats", "?field=payload.ms&by=topic&interval=1d"),
        ("/events/stats", "?field=payload.none"),
        ("/conflicts", ""),
        ("/conflicts/count", "?by=path"),
        ("/duplicates", ""),
        ("/topics", ""),
        ("/stats", ""),
        ("/stats/history", ""),
        ("/livez", ""),
        ("/readyz", ""),
        ("/consumers", ""),
        ("/events", "?limit=0"),
        ("/events", "?after=x"),
    ] {
        shapes.check_answer("GET", path, &server.get(&format!("{path}{query}")));
    }
    for (path, at) in
        [("/events/{topic}/{event_id}", "/events/even/2"), ("/events/{topic}/{event_id}", "/events/a/none")]
    {
        shapes.check_answer("GET", path, &server.get(at));
    }
    let context = "/events/{topic}/{event_id}/context";
    shapes.check_answer("GET", context, &server.get("/events/even/4/context?before=2"));
    let sql = |text: &str| {
        server.request("POST", "/sql").header("content-type", "application/sql").body(text.to_owned()).send()
    };
    for text in ["SELECT topic, seq, null, 1.5 FROM events", "SELECT", "DROP TABLE events"] {
        shapes.check_answer("POST", "/sql", &sql(text));
    }
    let consumer = |method: &str, end: &str, body: &str| {
        server.request(method, &format!("/consumers/c{end}")).body(body.to_owned()).send()
    };
    let body = json!({"filters": {"topic": ["even", "odd"], "payload.ms": 7}}).to_string();
    for (method, path, answer) in [
        ("PUT", "/consumers/{name}", consumer("PUT", "", &body)),
        ("PUT", "/consumers/{name}", consumer("PUT", "", &body)),
        ("GET", "/consumers/{name}", consumer("GET", "", "")),
        ("GET", "/consumers/{name}/events", consumer("GET", "/events", "")),
        ("POST", "/consumers/{name}/reset", consumer("POST", "/reset", "{\"to\": \"now\"}")),
        ("POST", "/consumers/{name}/ack", consumer("POST", "/ack", "{\"cursor\": \"x\"}")),
        ("DELETE", "/consumers/{name}", consumer("DELETE", "", "")),
        ("DELETE", "/consumers/{name}", consumer("DELETE", "", "")),
    ] {
        shapes.check_answer(method, path, &answer);
    }
}
