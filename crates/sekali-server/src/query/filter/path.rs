//! Places in a payload: `user.addresses.0.city`.

use sekali_wire::json::Reader;
use sekali_wire::limits::PAYLOAD_DEPTH_MAX;

use crate::payload_path::{index_of, push_name};

/// Characters that other systems use as operators behind a name. A path may end with one only if a
/// backslash stands before it.
const OPERATORS: [char; 4] = ['!', '<', '>', '~'];

/// Member names and array indexes, from the outside in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

/// One level down: into an object by name or into an array by index, whichever is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    /// The name as an index, from 0.
    index: Option<usize>,
}

impl Path {
    /// Reads a path: names or indexes with full stops between them. A backslash makes a full stop,
    /// a backslash or one of [`OPERATORS`] part of a name.
    ///
    /// # Errors
    /// The fault.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut names = vec![String::new()];
        let mut chars = text.chars();
        let mut last = None;
        while let Some(char) = chars.next() {
            last = Some(char);
            let part = match char {
                '.' => {
                    names.push(String::new());
                    continue;
                }
                '\\' => {
                    last = None;
                    let next = chars.next().filter(|next| matches!(next, '.' | '\\') || OPERATORS.contains(next));
                    next.ok_or("a `\\` must be followed by `.`, `\\`, `!`, `<`, `>` or `~`")?
                }
                other => other,
            };
            names.last_mut().unwrap_or(&mut String::new()).push(part);
        }
        if let Some(operator) = last.filter(|last| OPERATORS.contains(last)) {
            return Err(looks_like_an_operator(text, operator));
        }
        if names.iter().any(String::is_empty) {
            return Err("must be names or indexes with single full stops between them, like user.addresses.0.city; \
                        a full stop inside a name is written `\\.`"
                .to_owned());
        }
        if names.len() > PAYLOAD_DEPTH_MAX {
            return Err(format!("has more than {PAYLOAD_DEPTH_MAX} levels, deeper than payloads are"));
        }
        Ok(Self(names.into_iter().map(Step::new).collect()))
    }

    /// How many levels down it leads.
    pub(crate) fn levels(&self) -> usize {
        self.0.len()
    }

    /// The path as text. Equal paths have one text.
    pub(in crate::query) fn text(&self) -> String {
        let mut text = String::new();
        self.0.iter().for_each(|step| push_name(&mut text, &step.name));
        text
    }

    /// The text of the value at this place.
    pub(crate) fn find<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        self.0.iter().try_fold(payload, |value, step| step.find(value))
    }
}

impl Step {
    fn new(name: String) -> Self {
        let index = index_of(&name);
        Self { name, index }
    }

    fn find<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let mut reader = Reader::new(value);
        match reader.peek()? {
            b'{' => member(&mut reader, self.name.as_bytes()),
            b'[' => element(&mut reader, self.index?),
            _ => None,
        }
    }
}

/// The word for an operator that stands at the end of a path.
fn looks_like_an_operator(path: &str, operator: char) -> String {
    let name = path.trim_end_matches(OPERATORS);
    let instead = match operator {
        '!' => format!("to leave a value out, write not.payload.{name}"),
        '>' => format!("for numbers from a value on, write min.payload.{name}"),
        '<' => format!("for numbers less than a value, write below.payload.{name}"),
        _ => format!("for a regular expression, write match.payload.{name}"),
    };
    format!(
        "ends with `{operator}`, which is no operator here: {instead}; if the member has that name, write `\\{operator}`"
    )
}

/// Of several members with one name the last counts.
fn member<'a>(reader: &mut Reader<'a>, wanted: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    reader.take(b'{')?;
    while reader.peek()? != b'}' {
        let is_wanted = *reader.string()? == *wanted;
        reader.take(b':')?;
        let value = reader.skip_value()?;
        if is_wanted {
            found = Some(value);
        }
        reader.take_if(b',');
    }
    found
}

fn element<'a>(reader: &mut Reader<'a>, index: usize) -> Option<&'a [u8]> {
    reader.take(b'[')?;
    for _ in 0..index {
        if reader.peek()? == b']' {
            return None;
        }
        reader.skip_value()?;
        reader.take_if(b',');
    }
    if reader.peek()? == b']' { None } else { reader.skip_value() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, payload: &str) -> Option<String> {
        let found = Path::parse(path).unwrap().find(payload.as_bytes())?;
        Some(String::from_utf8(found.to_vec()).unwrap())
    }

    #[test]
    fn places_are_found_through_objects_and_arrays() {
        let payload =
            r#" { "a" : { "b" : [ 10 , [ "x" , "]}" ] , { "c.d" : null } ] } , "0" : "zero", "e\u0066": [] } "#;
        for (path, expected) in [
            ("a.b.0", Some("10")),
            ("a.b.1.1", Some("\"]}\"")),
            ("a.b.1", Some("[ \"x\" , \"]}\" ]")),
            ("a.b.2.c\\.d", Some("null")),
            ("0", Some("\"zero\"")),
            ("ef", Some("[]")),
            ("ef.0", None),
            ("a.b.3", None),
            ("a.b.00", None),
            ("a.b.99999999999999999999999", None),
            ("a.b.c", None),
            ("a.b.0.0", None),
            ("b", None),
        ] {
            assert_eq!(find(path, payload).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_text_of_a_path_reads_back() {
        for text in ["a.b.0", r"a\.b", r"a\\.b", r"a\!", "<a>b", r"a\\\!"] {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.text(), text);
            assert_eq!(Path::parse(&path.text()).as_ref(), Ok(&path));
        }
    }

    #[test]
    fn of_repeated_members_the_last_counts() {
        assert_eq!(find("a.b", r#"{"a":{"b":1},"a":{"b":2,"\u0062":3}}"#).as_deref(), Some("3"));
        assert_eq!(find("a.b", r#"{"a":{"b":1},"a":0}"#), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "\\", "a\\b", &"a.".repeat(64), &format!("a{}", ".a".repeat(64))] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
        assert!(Path::parse(&format!("a{}", ".a".repeat(63))).is_ok());
    }

    #[test]
    fn operators_at_the_end_are_answered_with_the_word_for_them() {
        for (text, word) in [
            ("status!", "not.payload.status"),
            ("ms>", "min.payload.ms"),
            ("ms<", "below.payload.ms"),
            ("a.path~", "match.payload.a.path"),
            ("status!~", "match.payload.status"),
        ] {
            let reason = Path::parse(text).unwrap_err();
            assert!(reason.contains(word), "{text}: {reason}");
        }
        assert_eq!(find("a\\!", r#"{"a!":1}"#).as_deref(), Some("1"));
        assert_eq!(find("<a>b", r#"{"<a>b":2}"#).as_deref(), Some("2"));
    }

    #[test]
    fn broken_text_has_nothing_in_it() {
        let whole = r#"{"a":[{"b":"\"c"},1],"d":-1}"#;
        for end in 0..whole.len() {
            assert_eq!(find("d", &whole[..end]), None, "{}", &whole[..end]);
        }
        assert_eq!(find("d", whole).as_deref(), Some("-1"));
    }
}
