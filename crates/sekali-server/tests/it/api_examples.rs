//! The examples of `docs/API.md`: every `curl` is run, in order, against one server, and what the
//! page shows below it is what the server says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::server::TestServer;

/// The address in the examples.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// How long an answer without an end is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Members whose values change from run to run.
const CHANGING: [&str; 5] = ["received_at", "since", "last_at", "seconds", "late_seconds"];

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A block of code, and the heading above it.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) heading: String,
    /// The heading of the second level, which may be the same.
    pub(crate) section: String,
    pub(crate) language: String,
    pub(crate) text: String,
}

pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let (mut blocks, mut heading, mut section) = (Vec::new(), String::new(), String::new());
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) => {
                open = Some(Block {
                    heading: heading.clone(),
                    section: section.clone(),
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, Some(block)) => open = Some(Block { text: block.text + line + "\n", ..block }),
            (None, None) if line.starts_with('#') => {
                heading = line.to_owned();
                if line.starts_with("## ") {
                    section = line.to_owned();
                }
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The words of a line of a shell, of which the examples need quotes and comments.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for char in line.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(char);
            }
            (None, '#') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    assert_eq!(quote, None, "an open quote in {line}");
    words.into_iter().chain(word).collect()
}

/// Runs a `curl` line. Returns the body of the answer, unless that has no end.
fn curl(server: &TestServer, line: &str) -> Option<String> {
    let (mut method, mut headers, mut body, mut path) = (None, Vec::new(), None, None);
    let mut words = words(line).into_iter().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} of {line} has no value"));
        match word.as_str() {
            "-H" => headers.push(value()),
            "-d" | "--data-binary" => body = Some(value()),
            "-X" => method = Some(value()),
            ">" | "-o" => drop(value()),
            "-s" | "-N" | "-i" | "-O" | "-J" | "-OJ" => {}
            word => {
                let rest =
                    word.strip_prefix(ADDRESS).unwrap_or_else(|| panic!("this test does not know {word}: {line}"));
                path = Some(rest.to_owned());
            }
        }
    }
    let method = method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    let mut request = server.request(&method, &path.expect(line));
    for header in headers {
        let (name, value) = header.split_once(": ").expect(line);
        // No server of the examples has keys.
        if name != "authorization" {
            request = request.header(name, value);
        }
    }
    if let Some(body) = body {
        let file = body.strip_prefix('@').map(|file| std::fs::read_to_string(repository().join(file)).expect(line));
        request = request.body(file.unwrap_or(body));
    }
    request.send_for(LOOK, |status| assert!((200..300).contains(&status), "{status} for {line}"))
}

/// Publishes the events of a file one by one, as its lines are.
fn publish(server: &TestServer, file: &str) {
    for line in std::fs::read_to_string(repository().join(file)).unwrap().lines() {
        server.request("POST", "/publish").body(line.to_owned()).send().expect_status(202);
    }
}

fn without_changing(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !CHANGING.contains(&name.as_str()));
            members.values_mut().for_each(without_changing);
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_changing),
        _ => {}
    }
}

fn comparable(text: &str, of: &str) -> Value {
    let mut value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}, below {of}"));
    without_changing(&mut value);
    value
}

#[test]
fn every_example_works_and_has_the_answer_that_is_shown() {
    let document = std::fs::read_to_string(repository().join("docs/API.md")).unwrap();
    let blocks = blocks(&document);
    let server = TestServer::start();
    let (mut run, mut compared) = (0, 0);
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| block.language == "sh") {
        let mut last = None;
        for line in block.text.replace("\\\n", " ").lines() {
            match words(line).first().map(String::as_str) {
                Some("curl") => {
                    // Its events would be in the answers of all later examples.
                    let own = line.contains("/ingest?").then(TestServer::start);
                    last = Some((line.to_owned(), curl(own.as_ref().unwrap_or(&server), line)));
                    run += 1;
                }
                Some("sekali") if line.starts_with("sekali publish ") => {
                    publish(&server, words(line).last().unwrap());
                }
                _ => {}
            }
        }
        let shown = blocks.get(at + 1).filter(|next| next.language == "json" && next.heading == block.heading);
        if let (Some(shown), Some((line, Some(answer)))) = (shown, last) {
            assert_eq!(comparable(&answer, &line), comparable(&shown.text, &line), "\n{line}\n{answer}");
            compared += 1;
        }
    }
    assert!(run >= 8 && compared >= 5, "{run} examples, {compared} of them compared");
}

#[test]
fn lines_of_a_shell_are_taken_apart() {
    assert_eq!(words("curl -H 'a: b' \"x y\"z  '' # c"), ["curl", "-H", "a: b", "x yz", ""]);
}
