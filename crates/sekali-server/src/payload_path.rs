//! Places in payloads as text: `user.id`, and `a\.b` for a name with a full stop.

use memchr::memchr2;

/// Writes the name of a member to the end of a path, as the paths of filters and fields are read.
pub(crate) fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    if memchr2(b'.', b'\\', name.as_bytes()).is_none() {
        path.push_str(name);
    } else {
        for char in name.chars() {
            if matches!(char, '.' | '\\') {
                path.push('\\');
            }
            path.push(char);
        }
    }
    if let Some(operator @ (b'!' | b'<' | b'>' | b'~')) = name.as_bytes().last() {
        path.pop();
        path.push('\\');
        path.push(char::from(*operator));
    }
}

/// The index that a name is in an array: `01` and `+1` are names only.
pub(crate) fn index_of(name: &str) -> Option<usize> {
    name.parse().ok().filter(|index: &usize| index.to_string() == name)
}
