//! Places of a record, as JSON pointers (RFC 6901), of which the first that has a value counts.

use std::borrow::Cow;

use sekali_wire::json::Reader;

/// Most pointers that a request may name for one thing.
const POINTERS_MAX: usize = 16;
/// Most steps of a pointer.
const STEPS_MAX: usize = 32;

/// Places to look at, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointers(Vec<Vec<String>>);

impl Pointers {
    /// Reads pointers with commas between them: `/request_id,/id`.
    ///
    /// # Errors
    /// The reason why it cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let pointers: Vec<_> = text.split(',').map(|pointer| parse(pointer.trim())).collect::<Result<_, _>>()?;
        if pointers.len() > POINTERS_MAX {
            return Err(format!("has {} pointers; at most {POINTERS_MAX} are allowed", pointers.len()));
        }
        Ok(Self(pointers))
    }

    /// The steps of each.
    pub(crate) fn steps(&self) -> &[Vec<String>] {
        &self.0
    }

    /// The value at the first place that has one; `null` is none. The record is JSON text.
    pub(crate) fn find<'a>(&self, record: &'a [u8]) -> Option<&'a [u8]> {
        let below = |value: &'a [u8], steps: &[String]| {
            let value = steps.iter().try_fold(value, |value, step| child(value, step))?;
            Some(value.trim_ascii()).filter(|value| *value != b"null")
        };
        if Reader::new(record).peek() != Some(b'{') {
            return self.0.iter().find_map(|steps| below(record, steps));
        }
        let firsts = self.firsts(record)?;
        self.0.iter().zip(firsts).find_map(|(steps, value)| below(value?, steps.get(1..)?))
    }

    /// The values at the first steps of all pointers, which an object is read once for.
    fn firsts<'a>(&self, object: &'a [u8]) -> Option<[Option<&'a [u8]>; POINTERS_MAX]> {
        let mut firsts = [None; POINTERS_MAX];
        let mut reader = Reader::new(object);
        reader.take(b'{')?;
        while !reader.take_if(b'}') {
            let name = reader.string()?;
            reader.take(b':')?;
            let value = reader.skip_value()?;
            for (first, steps) in firsts.iter_mut().zip(&self.0) {
                if steps.first().is_some_and(|step| step.as_bytes() == &*name) {
                    *first = Some(value);
                }
            }
            reader.take_if(b',');
        }
        Some(firsts)
    }

    /// The text of the string, number or boolean at the first place that has a value.
    pub(crate) fn text<'a>(&self, record: &'a [u8]) -> Option<Cow<'a, str>> {
        text_of(self.find(record)?)
    }
}

fn parse(pointer: &str) -> Result<Vec<String>, String> {
    let Some(steps) = pointer.strip_prefix('/') else {
        return Err(format!("`{pointer}` is no JSON pointer: begin with `/`, as in `/request/id`"));
    };
    let steps: Vec<_> = steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    if steps.len() > STEPS_MAX {
        return Err(format!("`{pointer}` has {} steps; at most {STEPS_MAX} are allowed", steps.len()));
    }
    Ok(steps)
}

/// A member of an object, the last one of that name, or an element of an array.
fn child<'a>(value: &'a [u8], step: &str) -> Option<&'a [u8]> {
    let mut reader = Reader::new(value);
    match reader.peek()? {
        b'{' => {
            reader.skip_byte();
            let mut found = None;
            while !reader.take_if(b'}') {
                let name = reader.string()?;
                reader.take(b':')?;
                let value = reader.skip_value()?;
                found = if *name == *step.as_bytes() { Some(value) } else { found };
                reader.take_if(b',');
            }
            found
        }
        b'[' => {
            reader.skip_byte();
            let wanted: usize = step.parse().ok()?;
            for _ in 0..wanted {
                reader.skip_value()?;
                reader.take(b',')?;
            }
            reader.skip_value()
        }
        _ => None,
    }
}

/// The text of a string, number or boolean, given as JSON.
pub(crate) fn text_of(json: &[u8]) -> Option<Cow<'_, str>> {
    match json.first()? {
        b'"' => match Reader::new(json).string()? {
            Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
            Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
        },
        b'{' | b'[' => None,
        _ => std::str::from_utf8(json).ok().filter(|text| *text != "null").map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pointers: &str, record: &str) -> Option<String> {
        Pointers::parse(pointers).unwrap().text(record.as_bytes()).map(Cow::into_owned)
    }

    #[test]
    fn the_first_place_with_a_value_counts() {
        let record = r#"{"a":{"b/c":"x","~":"t","d":[10,{"e":true},"é\u00e9"]},"n":null,"id":42,"a2":"\ud800"}"#;
        for (pointers, expected) in [
            ("/a/b~1c", Some("x")),
            ("/a/~0", Some("t")),
            ("/n,/missing,/id", Some("42")),
            ("/a/d/0", Some("10")),
            ("/a/d/1/e", Some("true")),
            ("/a/d/2", Some("éé")),
            ("/a/d/3", None),
            ("/a/d/x", None),
            ("/a", None),
            ("/n", None),
            ("/a2", None),
            ("/id/x", None),
        ] {
            assert_eq!(text(pointers, record).as_deref(), expected, "{pointers}");
        }
        assert_eq!(text("/a", r#"{ "a" : "1" , "a" : "2" }"#).as_deref(), Some("2"));
        assert_eq!(text("/a", "{}"), None);
        assert_eq!(text("/a", "[]"), None);
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for wrong in ["", "id", "/id,", "/id,name", "$.id"] {
            assert!(Pointers::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Pointers::parse(&"/a,".repeat(POINTERS_MAX)).is_err());
        assert!(Pointers::parse(&"/a".repeat(STEPS_MAX + 1)).is_err());
        assert!(Pointers::parse("/id, /name").is_ok());
    }
}
