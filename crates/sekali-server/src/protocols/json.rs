//! JSON text that is known to be valid, taken apart without copies.

use std::borrow::Cow;

use sekali_wire::json::{Reader, append_string};

/// The members of an object, in order; none if it is no object.
pub(super) fn members(object: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
    let mut reader = Reader::new(object);
    let mut is_open = reader.take_if(b'{');
    std::iter::from_fn(move || {
        if !is_open || reader.take_if(b'}') {
            is_open = false;
            return None;
        }
        let name = match reader.string()? {
            Cow::Borrowed(name) => String::from_utf8_lossy(name),
            Cow::Owned(name) => String::from_utf8_lossy(&name).into_owned().into(),
        };
        reader.take(b':')?;
        let value = reader.skip_value()?;
        reader.take_if(b',');
        Some((name, value))
    })
}

/// The elements of an array; none if it is no array.
pub(super) fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(array);
    let mut is_open = reader.take_if(b'[');
    std::iter::from_fn(move || {
        if !is_open || reader.take_if(b']') {
            is_open = false;
            return None;
        }
        let value = reader.skip_value()?;
        reader.take_if(b',');
        Some(value)
    })
}

/// A member of an object, the last one of that name.
pub(super) fn member<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    members(object).filter(|(known, _)| known == name).map(|(_, value)| value).last()
}

/// Begins a member at the end of an object that is being written.
pub(super) fn append_name(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
    append_string(out, name);
    out.push(b':');
}

/// Writes a member with text to the end of an object.
pub(super) fn append_text(out: &mut Vec<u8>, name: &str, text: &str) {
    append_name(out, name);
    append_string(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_arrays_come_apart() {
        let object = br#" { "a" : 1 , "b\u0021":[ {} , "x" ], "a":{"c":"}"} } "#;
        let found: Vec<_> = members(object).map(|(name, value)| (name, String::from_utf8_lossy(value))).collect();
        let expected = [("a", "1"), ("b!", "[ {} , \"x\" ]"), ("a", "{\"c\":\"}\"}")];
        assert_eq!(found, expected.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(member(object, "a"), Some(&br#"{"c":"}"}"#[..]));
        assert_eq!(elements(b"[ {} , \"x\" ]").collect::<Vec<_>>(), [&b"{}"[..], b"\"x\""]);
        for nothing in [&b"{}"[..], b"[]", b"1", b"", b"null"] {
            assert_eq!((members(nothing).count(), elements(nothing).count()), (0, 0));
        }
    }
}
