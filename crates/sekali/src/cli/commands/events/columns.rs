//! Some values of the payload on one line.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Shown, for_people, one_line};
use crate::cli::term::output::Paint;
use sekali_wire::escape::escape;

/// A place in the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PayloadColumn {
    /// As it was typed.
    name: String,
    /// Names of members, and indexes.
    path: Vec<String>,
}

impl PayloadColumn {
    /// Parses a path like `user.roles.0`, in which `\.` is a full stop of a name. `payload.` may
    /// stand in front.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (mut path, mut name) = (Vec::new(), String::new());
        let mut chars = text.strip_prefix("payload.").unwrap_or(text).chars();
        while let Some(char) = chars.next() {
            match char {
                '.' => path.push(std::mem::take(&mut name)),
                '\\' => name.push(chars.next().ok_or("ends with a backslash")?),
                _ => name.push(char),
            }
        }
        path.push(name);
        if path.iter().any(String::is_empty) {
            return Err("write it like user.id".to_owned());
        }
        Ok(Self { name: text.to_owned(), path })
    }

    fn find<'a>(&self, payload: &'a Value) -> Option<&'a Value> {
        self.path.iter().try_fold(payload, |value, name| match value {
            Value::Object(members) => members.get(name),
            Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// The event on one line, with these values in the place of its payload.
pub(crate) fn columns_for_people(event: &RawValue, paint: Paint, columns: &[PayloadColumn]) -> String {
    let Ok(shown) = serde_json::from_str::<Shown<'_>>(event.get()) else { return for_people(event, paint) };
    let payload: Value = serde_json::from_str(shown.payload.get()).unwrap_or_default();
    let mut line = format!("{} {}", paint.dim(escape(&shown.timestamp)), paint.cyan(escape(&shown.topic)));
    for column in columns {
        let value: Cow<'_, str> = match column.find(&payload) {
            Some(Value::String(text)) => text.as_str().into(),
            Some(value) => value.to_string().into(),
            None => "-".into(),
        };
        line.push_str(&format!(
            "  {}{}",
            paint.dim(format_args!("{}=", escape(&column.name))),
            escape(&one_line(&value))
        ));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_paths() {
        let event = "{\"topic\":\"t\",\"event_id\":\"1\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"source\":\"\",\
            \"payload\":{\"a\":{\"b.c\":[1.50,\"x\\n\\u001b\"]},\"n\":null},\"seq\":1,\"received_at\":\"2025-01-01T00:00:00Z\"}";
        let event = RawValue::from_string(event.to_owned()).unwrap();
        let columns: Vec<_> = ["a.b\\.c.0", "payload.a.b\\.c.1", "n", "none", "a"]
            .iter()
            .map(|path| PayloadColumn::parse(path).unwrap())
            .collect();
        let line = columns_for_people(&event, Paint::PLAIN, &columns);
        assert_eq!(
            line,
            "2025-01-01T00:00:00Z t  a.b\\.c.0=1.50  payload.a.b\\.c.1=x \\u001b  n=null  none=-  a={\"b.c\":[1.50,\"x\\n\\u001b\"]}"
        );
        for wrong in ["", "a.", ".a", "a..b", "a\\"] {
            assert!(PayloadColumn::parse(wrong).is_err(), "{wrong}");
        }
    }
}
