//! Where two payloads differ, member by member.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sekali_wire::json::{Reader, canonical};
use sekali_wire::limits::PAYLOAD_DEPTH_MAX;

use crate::limits::{DIFFERENCE_PATH_BYTES_MAX, DIFFERENCES_MAX};
use crate::payload_path::push_name;

/// A place where two payloads differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    /// The place as filters and columns name it: `payload.user.id`.
    pub(crate) path: String,
    /// The same, with `*` for the indexes of arrays: `payload.items.*.price`.
    pub(crate) pattern: String,
    /// The value of the one, as JSON.
    pub(crate) stored: Option<&'a [u8]>,
    /// The value of the other.
    pub(crate) sent: Option<&'a [u8]>,
}

/// Some differences.
#[derive(Debug, Default)]
pub(crate) struct Differences<'a> {
    /// At most [`DIFFERENCES_MAX`].
    pub(crate) listed: Vec<Difference<'a>>,
    /// How many more there are.
    pub(crate) left_out: usize,
}

/// One level down a payload.
#[derive(Debug)]
enum PathStep<'a> {
    Member(Cow<'a, [u8]>),
    Element(usize),
}

/// Two payloads while they are compared.
#[derive(Debug, Default)]
struct Comparing<'a> {
    /// The way to the values that are compared. Its text is made for differences only.
    steps: Vec<PathStep<'a>>,
    found: Differences<'a>,
}

impl<'a> Differences<'a> {
    /// Compares two payloads. The smallest values that differ are told, and members that only one
    /// of them has.
    pub(crate) fn between(stored: &'a [u8], sent: &'a [u8]) -> Self {
        let mut comparing = Comparing::default();
        comparing.compare(stored.trim_ascii(), sent.trim_ascii());
        comparing.found
    }

    /// Adds a difference of the events themselves.
    pub(crate) fn add(&mut self, name: &str, stored: &'a [u8], sent: &'a [u8]) {
        let (path, pattern) = (name.to_owned(), name.to_owned());
        self.listed.insert(0, Difference { path, pattern, stored: Some(stored), sent: Some(sent) });
    }
}

impl<'a> Comparing<'a> {
    fn compare(&mut self, stored: &'a [u8], sent: &'a [u8]) {
        if stored == sent {
            return;
        }
        let is_inside = self.steps.len() < PAYLOAD_DEPTH_MAX
            && match (stored.first(), sent.first()) {
                (Some(b'{'), Some(b'{')) => self.compare_objects(stored, sent).is_some(),
                (Some(b'['), Some(b'[')) => self.compare_arrays(stored, sent).is_some(),
                _ => false,
            };
        if !is_inside && canonical(stored).is_none_or(|form| canonical(sent) != Some(form)) {
            self.push(Some(stored), Some(sent));
        }
    }

    fn compare_objects(&mut self, stored: &'a [u8], sent: &'a [u8]) -> Option<()> {
        let (stored, mut sent) = (members(stored)?, members(sent)?);
        for (name, value) in stored {
            let other = sent.remove(&name);
            self.compare_inside(PathStep::Member(name), Some(value), other);
        }
        for (name, value) in sent {
            self.compare_inside(PathStep::Member(name), None, Some(value));
        }
        Some(())
    }

    fn compare_arrays(&mut self, stored: &'a [u8], sent: &'a [u8]) -> Option<()> {
        let (stored, sent) = (elements(stored)?, elements(sent)?);
        for at in 0..stored.len().max(sent.len()) {
            self.compare_inside(PathStep::Element(at), stored.get(at).copied(), sent.get(at).copied());
        }
        Some(())
    }

    fn compare_inside(&mut self, step: PathStep<'a>, stored: Option<&'a [u8]>, sent: Option<&'a [u8]>) {
        self.steps.push(step);
        match (stored, sent) {
            (Some(stored), Some(sent)) => self.compare(stored, sent),
            _ => self.push(stored, sent),
        }
        self.steps.pop();
    }

    fn push(&mut self, stored: Option<&'a [u8]>, sent: Option<&'a [u8]>) {
        if self.found.listed.len() >= DIFFERENCES_MAX {
            self.found.left_out += 1;
            return;
        }
        let (path, pattern) = (self.path(usize::to_string), self.path(|_| "*".to_owned()));
        self.found.listed.push(Difference { path, pattern, stored, sent });
    }

    /// The way as text. One that is too long is cut.
    fn path(&self, element: impl Fn(&usize) -> String) -> String {
        let mut path = "payload".to_owned();
        for step in &self.steps {
            match step {
                PathStep::Member(name) => push_name(&mut path, &String::from_utf8_lossy(name)),
                PathStep::Element(at) => path.extend([".", &element(at)]),
            }
            if path.len() > DIFFERENCE_PATH_BYTES_MAX {
                let end = (0..=DIFFERENCE_PATH_BYTES_MAX).rev().find(|end| path.is_char_boundary(*end));
                path.truncate(end.unwrap_or_default());
                path.push('…');
                break;
            }
        }
        path
    }
}

type Members<'a> = BTreeMap<Cow<'a, [u8]>, &'a [u8]>;

/// Of several members with one name the last counts.
fn members(object: &[u8]) -> Option<Members<'_>> {
    let mut reader = Reader::new(object);
    let mut members = Members::new();
    reader.take(b'{')?;
    while reader.peek()? != b'}' {
        let name = reader.string()?;
        reader.take(b':')?;
        members.insert(name, reader.skip_value()?);
        reader.take_if(b',');
    }
    Some(members)
}

fn elements(array: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::new(array);
    let mut elements = Vec::new();
    reader.take(b'[')?;
    while reader.peek()? != b']' {
        elements.push(reader.skip_value()?);
        reader.take_if(b',');
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(stored: &str, sent: &str) -> Vec<String> {
        let text = |value: Option<&[u8]>| value.map_or("-".to_owned(), |value| String::from_utf8_lossy(value).into());
        let found = Differences::between(stored.as_bytes(), sent.as_bytes());
        assert_eq!(found.left_out, 0);
        let show = |found: &Difference<'_>| {
            let pattern = if found.pattern == found.path { String::new() } else { format!(" ({})", found.pattern) };
            format!("{}{pattern}: {} {}", found.path, text(found.stored), text(found.sent))
        };
        found.listed.iter().map(show).collect()
    }

    #[test]
    fn the_smallest_values_that_differ_are_told() {
        let stored = r#" {"a":{"b":1.0,"c":[1,2,{"d":"x"}]},"same":"\u0061","only.stored!":null,"kind":1} "#;
        let sent = r#"{"kind":"1","same":"a","a":{"c":[1,3,{"d":"y"},4],"b":1},"sent":[]}"#;
        expect_test::expect![[r#"
            payload.a.c.1 (payload.a.c.*): 2 3
            payload.a.c.2.d (payload.a.c.*.d): "x" "y"
            payload.a.c.3 (payload.a.c.*): - 4
            payload.kind: 1 "1"
            payload.only\.stored\!: null -
            payload.sent: - []"#]]
        .assert_eq(&between(stored, sent).join("\n"));
    }

    #[test]
    fn payloads_that_say_the_same_have_none() {
        for (stored, sent) in [
            (r#"{"a":1,"b":[1.0,{}]}"#, r#"{ "b" : [ 1e0 , { } ] , "a" : 10e-1 }"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"\u00e9":"\n"}"#, r#"{"é":"\u000a"}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(between(stored, sent), [""; 0], "{stored} {sent}");
        }
    }

    #[test]
    fn differences_are_bounded_and_the_rest_is_counted() {
        let object = |value: u32| {
            let members: Vec<_> = (0..DIFFERENCES_MAX + 5).map(|at| format!("\"m{at}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let (stored, sent) = (object(1), object(2));
        let found = Differences::between(stored.as_bytes(), sent.as_bytes());
        assert_eq!((found.listed.len(), found.left_out), (DIFFERENCES_MAX, 5));
    }

    #[test]
    fn a_long_path_is_cut() {
        let object = |value| format!("{{\"{}\":{{\"a\":{value}}}}}", "é".repeat(DIFFERENCE_PATH_BYTES_MAX));
        let (stored, sent) = (object(1), object(2));
        let found = Differences::between(stored.as_bytes(), sent.as_bytes());
        let path = &found.listed[0].path;
        assert!(path.len() <= DIFFERENCE_PATH_BYTES_MAX + 3 && path.ends_with("é…"), "{path}");
    }

    #[test]
    fn text_that_is_no_json_differs_as_a_whole() {
        assert_eq!(between("{\"a\"", "{\"a\":1}"), ["payload: {\"a\" {\"a\":1}"]);
    }
}
