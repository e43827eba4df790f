//! Text files that verify themselves: the last line is a comment with the checksum of all before
//! it.

use xxhash_rust::xxh3::xxh3_64;

const PREFIX: &str = "# checksum ";

/// Appends the checksum line.
pub(crate) fn seal(mut text: String) -> String {
    let checksum = xxh3_64(text.as_bytes());
    text.push_str(&format!("{PREFIX}{checksum:016x}\n"));
    text
}

/// The text above the checksum line, if that line agrees with it; otherwise what is wrong.
pub(crate) fn unseal(text: &str) -> Result<&str, String> {
    let (body, line) = text
        .strip_suffix('\n')
        .and_then(|text| text.rfind('\n'))
        .and_then(|end| text.split_at_checked(end + 1))
        .ok_or("it has no checksum line")?;
    let stored = line
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix('\n'))
        .and_then(parse_hex)
        .ok_or("its last line is not a checksum")?;
    if stored != xxh3_64(body.as_bytes()) {
        return Err("its checksum does not agree with its text".to_owned());
    }
    Ok(body)
}

/// Exactly 16 lowercase digits, so that one value has one spelling.
pub(crate) fn parse_hex(text: &str) -> Option<u64> {
    let plain = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if plain { u64::from_str_radix(text, 16).ok() } else { None }
}
