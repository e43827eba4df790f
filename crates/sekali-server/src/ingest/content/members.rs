//! The members of a payload, for the columns that the engine keeps of them.
//!
//! They must be told so that a filter finds at a path what is told of it and nothing else: see
//! `query/filter/path.rs`. An index leads into arrays and into objects, so a path with one is never
//! told, and of a payload that repeats a name nothing is.

use std::collections::HashSet;

use sekali_store::Member;
use sekali_wire::json::{Reader, Text};

use crate::limits::{MEMBER_DEPTH_MAX, MEMBERS_MAX};
use crate::payload_path::{index_of, push_name};

/// Names of an object that are compared one by one.
const FEW_NAMES: usize = 16;

/// See [`ContentRules::members`](sekali_store::ContentRules).
pub(super) fn members(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool {
    let mut reader = Reader::new(payload);
    let mut walk = Walk { path: String::new(), visit, left: MEMBERS_MAX };
    let is_told = match reader.peek() {
        Some(b'{') => walk.object(&mut reader, 0),
        _ => walk.rest(&mut reader),
    };
    is_told.is_some() && reader.is_at_end()
}

struct Walk<'v> {
    path: String,
    visit: &'v mut dyn FnMut(Member<'_>),
    /// How many more members there may be.
    left: usize,
}

impl Walk<'_> {
    fn object(&mut self, reader: &mut Reader<'_>, depth: usize) -> Option<()> {
        reader.take(b'{')?;
        if reader.peek()? == b'}' {
            (self.visit)(Member::Rest { part: b"" });
        }
        let mut names = Names::default();
        while reader.peek()? != b'}' {
            let before = reader.rest();
            let name = reader.string()?;
            reader.take(b':')?;
            self.left = self.left.checked_sub(1)?;
            let len = self.path.len();
            match std::str::from_utf8(&name).ok().filter(|name| !name.is_empty() && index_of(name).is_none()) {
                None => {
                    // Its name is not told either.
                    reader.skip_value()?;
                    let part = before.get(..before.len() - reader.rest().len()).unwrap_or_default();
                    (self.visit)(Member::Rest { part });
                }
                Some(name) => {
                    push_name(&mut self.path, name);
                    self.value(reader, depth)?;
                    self.path.truncate(len);
                }
            }
            names.add(name)?;
            reader.take_if(b',');
        }
        reader.take(b'}')
    }

    fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Option<()> {
        match reader.peek()? {
            b'{' if depth < MEMBER_DEPTH_MAX => {
                (self.visit)(Member::Inner { path: self.path.as_bytes() });
                self.object(reader, depth + 1)
            }
            b'{' | b'[' => {
                (self.visit)(Member::Inner { path: self.path.as_bytes() });
                self.rest(reader)
            }
            _ => {
                let text = reader.skip_value()?;
                (self.visit)(Member::Text { path: self.path.as_bytes(), text });
                Some(())
            }
        }
    }

    /// Skips a value that is not told.
    fn rest(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let part = reader.skip_value()?;
        (self.visit)(Member::Rest { part });
        Some(())
    }
}

/// The names of an object. Allocates only for many names and for names with escapes.
#[derive(Default)]
struct Names<'p> {
    few: [&'p [u8]; FEW_NAMES],
    len: usize,
    many: HashSet<Text<'p>>,
}

impl<'p> Names<'p> {
    /// `None` where it is there already.
    fn add(&mut self, name: Text<'p>) -> Option<()> {
        let few = self.few.get(..self.len)?;
        if few.contains(&&*name) || (!self.many.is_empty() && self.many.contains(&name)) {
            return None;
        }
        match (name, self.few.get_mut(self.len)) {
            (Text::Borrowed(name), Some(place)) => {
                *place = name;
                self.len += 1;
            }
            (name, _) => {
                self.many.insert(name);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(payload: &str) -> Option<Vec<String>> {
        let mut told = Vec::new();
        let is_told = members(payload.as_bytes(), &mut |member| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            told.push(match member {
                Member::Text { path, text: value } => format!("{}={}", text(path), text(value)),
                Member::Inner { path } => format!("{}:", text(path)),
                Member::Rest { part } => format!("…{}", text(part)),
            });
        });
        is_told.then_some(told)
    }

    #[test]
    fn every_member_is_told_by_its_path() {
        for (payload, expected) in [
            (r#" { "a" : 1.0 , "b":"x\n", "c":null, "d":true } "#, "a=1.0 b=\"x\\n\" c=null d=true"),
            (r#"{"a":{"b":{"c":-1e9},"d":2}}"#, "a: a.b: a.b.c=-1e9 a.d=2"),
            (r#"{"a.b":1,"c\\":2,"d!":3}"#, r"a\.b=1 c\\=2 d\!=3"),
            (r#"{"\u0061":1}"#, "a=1"),
            (
                r#"{"a":[1,{"b":2}],"e":{},"":1,"0": 2,"01":3,"\ud800":4}"#,
                r#"a: …[1,{"b":2}] e: … …"":1 …"0": 2 01=3 …"\ud800":4"#,
            ),
            ("[1]", "…[1]"),
            ("5", "…5"),
            ("{}", "…"),
        ] {
            assert_eq!(told(payload).map(|told| told.join(" ")).as_deref(), Some(expected), "{payload}");
        }
        let deep = "{\"a\":".repeat(MEMBER_DEPTH_MAX + 3) + "1" + &"}".repeat(MEMBER_DEPTH_MAX + 3);
        assert_eq!(told(&deep).unwrap().last().map(String::as_str), Some("…{\"a\":{\"a\":1}}"));
    }

    #[test]
    fn of_repeated_names_and_too_many_members_nothing_is_told() {
        let many = |count: usize| {
            let members: Vec<_> = (0..count).map(|number| format!("\"m{number}\":{number}")).collect();
            format!("{{{}}}", members.join(","))
        };
        for payload in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            &many(40).replace("m39", "m20"),
            &many(40).replace("m39", "m2"),
            &many(MEMBERS_MAX + 1),
            r#"{"a":1"#,
            r#"{"a":1} x"#,
            "",
        ] {
            assert_eq!(told(payload), None, "{payload}");
        }
        assert_eq!(told(&many(MEMBERS_MAX)).map(|told| told.len()), Some(MEMBERS_MAX));
    }
}
