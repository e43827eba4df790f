//! Every route with every kind of caller and request: the status follows the rules, unauthorised
//! callers store nothing, and no response contains other topics.

use std::collections::BTreeSet;
use std::path::Path;

use sekali_server::access::Scope;
use sekali_server::http::ROUTES;
use sekali_wire::secret::Secret;
use serde_json::json;

use super::visitor::{make, make_expired, make_revoked, start};
use crate::server::{Answer, TestServer, event};

const MINE: &str = "mine.a";
const THEIRS: &str = "theirs.x";
/// A text in every event of [`THEIRS`], but not in its name.
const MARK: &str = "HIDDEN";

/// The permissions of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// The caller has no valid key.
    None,
    /// The caller has a key for these scopes and topics.
    Key {
        publish: bool,
        read: bool,
        mine: bool,
        theirs: bool,
        /// The key is for all topics.
        all: bool,
    },
    Everything,
}

struct Visitor {
    name: String,
    /// The caller's `Authorization` header.
    shows: Option<String>,
    rights: Rights,
}

/// One request to a route.
struct Question {
    path: String,
    accept: &'static str,
    /// The topic that it names.
    topic: Option<&'static str>,
    body: Option<String>,
    /// The status for callers with permission.
    status: u16,
}

fn visitors(dir: &Path) -> Vec<Visitor> {
    let shows = |secret: &Secret| Some(format!("Bearer {}", secret.expose()));
    let stranger = |name: &str, shows| Visitor { name: name.to_owned(), shows, rights: Rights::None };
    let mut visitors = vec![
        stranger("no key", None),
        stranger("a key of nobody", shows(&sekali_server::access::draw_secret())),
        stranger("no key at all in its place", Some("Bearer x".to_owned())),
        stranger("an empty key", Some("Bearer ".to_owned())),
        stranger("another scheme", Some("Basic YTpi".to_owned())),
    ];
    let scope_sets: [&[Scope]; 5] =
        [&[Scope::Publish], &[Scope::Read], &[Scope::Publish, Scope::Read], &[Scope::Admin], &Scope::ALL];
    let topic_sets: [(&[&str], bool, bool); 5] = [
        (&["mine.*"], true, false),
        (&["theirs.*"], false, true),
        (&["other"], false, false),
        (&["*"], true, true),
        (&["mine.*", "theirs.*"], true, true),
    ];
    for scopes in scope_sets {
        visitors.push(stranger(&format!("expired {scopes:?}"), shows(&make_expired(dir, scopes))));
        visitors.push(stranger(&format!("revoked {scopes:?}"), shows(&make_revoked(dir, scopes))));
        for (topics, mine, theirs) in topic_sets {
            let secret = make(dir, scopes, topics);
            let has = |scope| scopes.contains(&scope);
            let rights = if has(Scope::Admin) {
                Rights::Everything
            } else {
                Rights::Key { publish: has(Scope::Publish), read: has(Scope::Read), mine, theirs, all: topics == ["*"] }
            };
            visitors.push(Visitor { name: format!("{scopes:?} {topics:?}"), shows: shows(&secret), rights });
        }
    }
    visitors
}

/// The requests to a route. A new route needs a line here, and one in [`expected`].
fn questions(method: &str, path: &str, number: usize) -> Vec<Question> {
    let get = |path: &str, topic, status| Question { path: path.to_owned(), accept: "*/*", topic, body: None, status };
    let stream = |path: &str, accept, topic| Question { accept, ..get(path, topic, 200) };
    let publish = |path: &str, topic| {
        let body = json!([event(topic, &format!("published-{number}-{topic}"))]).to_string();
        Question { path: path.to_owned(), accept: "*/*", topic: Some(topic), body: Some(body), status: 202 }
    };
    let sql = |path: &str, statement: &str| {
        let body = json!({"sql": statement}).to_string();
        Question { path: path.to_owned(), accept: "*/*", topic: None, body: Some(body), status: 200 }
    };
    let ship = |topic| {
        let body = json!({"id": format!("published-{number}-{topic}")}).to_string();
        let path = format!("/ingest?topic={topic}&id=/id");
        Question { path, accept: "*/*", topic: Some(topic), body: Some(body), status: 202 }
    };
    let put = |path: &str, topic| {
        let body = json!({"filters": {"topic": topic}}).to_string();
        Question { path: path.to_owned(), accept: "*/*", topic: Some(topic), body: Some(body), status: 201 }
    };
    match (method, path) {
        ("POST", "/publish") => vec![
            publish("/publish", MINE),
            publish("/publish?verbose=true", THEIRS),
            publish("/publish?invalid=skip", "mine.b"),
            Question { status: 200, ..publish("/publish?dry_run=true", THEIRS) },
        ],
        ("POST", "/exists") => [MINE, THEIRS, "mine.b"]
            .map(|topic| Question {
                body: Some(json!([{"topic": topic, "event_id": "HIDDEN-1"}]).to_string()),
                ..get("/exists", Some(topic), 200)
            })
            .into(),
        ("POST", "/ingest") => vec![ship("mine.a"), ship("theirs.x")],
        ("GET", "/events") => vec![
            get("/events", None, 200),
            get("/events?order=desc&limit=1", None, 200),
            get("/events?q=hidden", None, 200),
            get("/events?event_id=HIDDEN-1", None, 200),
            get("/events?topic=mine.a", Some(MINE), 200),
            get("/events?topic=theirs.x&event_id=HIDDEN-1", Some(THEIRS), 200),
            stream("/events", "application/x-ndjson", None),
            stream("/events", "text/csv", None),
            stream("/events?topic=theirs.x", "application/x-ndjson", Some(THEIRS)),
            stream("/events?topic=mine.a", "text/csv", Some(MINE)),
            get("/events?format=csv&columns=topic,source,payload&download=x", None, 200),
            get("/events?format=ndjson&columns=source&topic=theirs.x", Some(THEIRS), 200),
        ],
        ("GET", "/events/count") => vec![
            get("/events/count", None, 200),
            get("/events/count?q=hidden", None, 200),
            get("/events/count?interval=1d", None, 200),
            get("/events/count?by=source,topic", None, 200),
            get("/events/count?by=topic", None, 200),
            get("/events/count?topic=theirs.x", Some(THEIRS), 200),
            get("/events/count?topic=mine.a&interval=1d", Some(MINE), 200),
        ],
        ("GET", "/events/fields") => vec![
            get("/events/fields", None, 200),
            get("/events/fields?field=source&compare=q%3Dhidden", None, 200),
            get("/events/fields?compare=topic%3Dtheirs.x", Some(THEIRS), 200),
            get("/events/fields?topic=theirs.x", Some(THEIRS), 200),
        ],
        ("GET", "/events/stats") => vec![
            get("/events/stats?field=size&by=source", None, 200),
            get("/events/stats?field=delay&topic=mine.a", Some(MINE), 200),
        ],
        ("PUT", "/consumers/{name}") => {
            vec![put(&format!("/consumers/mine-{number}"), MINE), put(&format!("/consumers/theirs-{number}"), THEIRS)]
        }
        ("GET", "/consumers") => vec![get("/consumers", None, 200)],
        ("GET" | "DELETE", "/consumers/{name}") => vec![get("/consumers/none", None, 404)],
        ("GET", "/consumers/{name}/events") => vec![get("/consumers/none/events", None, 404)],
        ("POST", "/consumers/{name}/ack") => vec![get("/consumers/none/ack", None, 404)],
        ("POST", "/consumers/{name}/reset") => vec![get("/consumers/none/reset", None, 404)],
        ("GET", "/events/stream") => vec![
            get("/events/stream", None, 200),
            get("/events/stream?from=beginning&q=hidden", None, 200),
            get("/events/stream?from=beginning&topic=theirs.x", Some(THEIRS), 200),
            get("/events/stream?topic=mine.a", Some(MINE), 200),
        ],
        ("GET", "/events/{topic}/{event_id}") => vec![
            get("/events/mine.a/1", Some(MINE), 200),
            get("/events/mine.a/none", Some(MINE), 404),
            get("/events/theirs.x/HIDDEN-1", Some(THEIRS), 200),
            get("/events/theirs.x/none", Some(THEIRS), 404),
        ],
        ("GET", "/events/{topic}/{event_id}/context") => vec![
            get("/events/mine.a/1/context", Some(MINE), 200),
            get("/events/mine.a/none/context", Some(MINE), 404),
            get("/events/theirs.x/HIDDEN-1/context?same=topic", Some(THEIRS), 200),
            get("/events/theirs.x/none/context", Some(THEIRS), 404),
        ],
        ("GET", "/conflicts" | "/conflicts/count") => vec![
            get(path, None, 200),
            get(&format!("{path}?q=hidden"), None, 200),
            get(&format!("{path}?topic=theirs.x"), Some(THEIRS), 200),
            get(&format!("{path}?topic=mine.a"), Some(MINE), 200),
        ],
        ("GET", "/metrics") => {
            vec![get(path, None, 200), stream(path, "application/openmetrics-text; version=1.0.0", None)]
        }
        ("GET", "/") => vec![stream("/", "text/html", None)],
        ("GET", "/event/{topic}/{event_id}") => vec![get("/event/theirs.x/HIDDEN-1", None, 200)],
        ("GET", "/assets/{version}/{name}") => vec![get("/assets/0/app.css", None, 404)],
        ("GET", "/duplicates") => vec![get(path, None, 200), get("/duplicates?top=1", None, 200)],
        (
            "GET",
            "/openapi.json" | "/explore" | "/sql" | "/docs" | "/integrity" | "/topics" | "/stats" | "/stats/history"
            | "/livez" | "/readyz",
        ) => {
            vec![get(path, None, 200)]
        }
        ("POST", "/sql") => vec![
            sql("/sql", "SELECT * FROM events"),
            sql("/sql?format=csv", "SELECT topic, payload FROM events a WHERE topic IN (SELECT topic FROM events)"),
            sql("/sql?format=ndjson", "SELECT * FROM topics"),
        ],
        _ => panic!("no question is known for {method} {path}"),
    }
}

/// Health, and the pages and the description of the API, which hold no data.
fn needs_no_key(method: &str, route: &str) -> bool {
    let pages = ["/", "/explore", "/event/{topic}/{event_id}", "/integrity", "/docs", "/assets/{version}/{name}"];
    ["/livez", "/readyz", "/openapi.json"].contains(&route)
        || pages.contains(&route)
        || (method, route) == ("GET", "/sql")
}

/// The status by the rules of the documentation.
fn expected((method, route): (&str, &str), question: &Question, rights: Rights) -> u16 {
    let Rights::Key { publish, read, mine, theirs, all } = rights else {
        let is_admitted = needs_no_key(method, route) || rights == Rights::Everything;
        return if is_admitted { question.status } else { 401 };
    };
    let has_scope = match route {
        route if needs_no_key(method, route) => return question.status,
        "/publish" if question.path.contains("dry_run") => publish && read,
        "/publish" | "/exists" | "/ingest" => publish,
        "/metrics" => read && all,
        _ => read,
    };
    let has_topic = match question.topic {
        None => true,
        Some(THEIRS) => theirs,
        Some(_) => mine,
    };
    if has_scope && has_topic { question.status } else { 403 }
}

#[test]
fn everybody_gets_what_the_rules_say_and_nothing_of_others() {
    let (server, (admin, visitors)) = start(3, |dir| (make(dir, &[Scope::Admin], &["*"]), visitors(dir)));
    let mut hidden = event(THEIRS, "HIDDEN-1");
    (hidden["source"], hidden["payload"]) = (json!("HIDDEN-source"), json!({"HIDDEN-name": "HIDDEN-value"}));
    let mut published: BTreeSet<_> =
        [(MINE.to_owned(), "1".to_owned()), (THEIRS.to_owned(), "HIDDEN-1".to_owned())].into();
    server.publish_with(&admin, "/publish", json!([event(MINE, "1"), hidden])).expect_status(202);
    hidden["payload"] = json!({"HIDDEN": "conflict"});
    server.publish_with(&admin, "/publish", &hidden).expect_status(202);
    let mut asked = 0;
    for (number, visitor) in visitors.iter().enumerate() {
        for route in &ROUTES {
            for question in questions(route.method.as_str(), route.path, number) {
                asked += 1;
                let status = expected((route.method.as_str(), route.path), &question, visitor.rights);
                let answer = ask(&server, route.method.as_str(), visitor, &question);
                check(&answer, status, visitor, &question);
                if route.method == "GET" {
                    let head = ask(&server, "HEAD", visitor, &question);
                    assert_eq!((head.status, head.body.as_str()), (status, ""), "HEAD {}", question.path);
                }
                if status == 202 {
                    let topic = question.topic.unwrap();
                    published.insert((topic.to_owned(), format!("published-{number}-{topic}")));
                }
            }
        }
    }
    assert!(asked > 800, "{asked}");
    assert_eq!(server.stored(&admin).into_iter().collect::<BTreeSet<_>>(), published);
}

fn ask(server: &TestServer, method: &str, visitor: &Visitor, question: &Question) -> Answer {
    let mut request = server.request(method, &question.path).header("accept", question.accept);
    if let Some(shows) = &visitor.shows {
        request = request.header("authorization", shows);
    }
    if let Some(body) = &question.body {
        request = request.header("content-type", "application/json").body(body.clone());
    }
    // A stream has no end.
    if question.path.starts_with("/events/stream") { request.send_for_first_piece() } else { request.send() }
}

#[track_caller]
fn check(answer: &Answer, status: u16, visitor: &Visitor, question: &Question) {
    let context = format!("{} asks {} {}: {}", visitor.name, question.path, question.accept, answer.body);
    assert_eq!(answer.status, status, "{context}");
    assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"), "{context}");
    let code = match status {
        401 => Some("unauthenticated"),
        403 => Some("forbidden"),
        404 => Some("not_found"),
        _ => None,
    };
    if let Some(code) = code {
        assert_eq!(answer.json()["code"], code, "{context}");
    }
    let sees_theirs = match visitor.rights {
        Rights::Everything => true,
        Rights::Key { theirs, .. } => theirs,
        Rights::None => false,
    };
    if sees_theirs {
        return;
    }
    let headers = format!("{:?}", answer.headers);
    assert!(!answer.body.contains(MARK) && !headers.contains(MARK), "{context}");
    // A response may repeat a topic that the request names.
    assert!(question.topic == Some(THEIRS) || !answer.body.contains(THEIRS), "{context}");
    if let Some(secret) = visitor.shows.as_ref().and_then(|shows| shows.rsplit_once('_')) {
        assert!(!answer.body.contains(secret.1) && !headers.contains(secret.1), "{context}");
    }
}

#[test]
fn what_is_no_route_is_told_only_to_those_with_a_key() {
    let (server, keys) = start(1, |dir| [make(dir, &[Scope::Publish], &["x"]), make(dir, &[Scope::Admin], &["*"])]);
    for (method, path, status) in
        [("GET", "/nowhere", 404), ("DELETE", "/events", 405), ("OPTIONS", "/publish", 405), ("POST", "/livez", 405)]
    {
        server.request(method, path).send().expect_error(401, "unauthenticated");
        for key in &keys {
            server.request(method, path).key(key).send().expect_status(status);
        }
    }
    // Not the route without the slash, which needs no key.
    server.get("/livez/").expect_error(401, "unauthenticated");
}

#[test]
fn the_table_of_routes_says_what_the_documentation_says() {
    for route in &ROUTES {
        let documented = match route.path {
            path if needs_no_key(route.method.as_str(), path) => None,
            "/publish" | "/exists" | "/ingest" => Some(Scope::Publish),
            _ => Some(Scope::Read),
        };
        assert_eq!(route.scope, documented, "{}", route.path);
    }
}
