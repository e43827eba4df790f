//! Event ids like those of real producers: UUIDs.

/// Length of a UUID as text.
pub(crate) const UUID_TEXT_BYTES: usize = 36;

/// `bits` as the text of a version 4 UUID (RFC 9562); the six bits of version and variant are
/// overwritten.
pub(crate) fn uuid_text(bits: u128) -> [u8; UUID_TEXT_BYTES] {
    text_of(bits, 4)
}

/// The text of a version 7 UUID: 48 bits of time, in milliseconds since 1970, and the lower ones of
/// `random`.
pub(crate) fn uuid7_text(time_ms: u64, random: u128) -> [u8; UUID_TEXT_BYTES] {
    text_of((u128::from(time_ms) << 80) | (random & ((1 << 80) - 1)), 7)
}

fn text_of(bits: u128, version: u128) -> [u8; UUID_TEXT_BYTES] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (version << 76) | (0x2 << 62);
    let mut text = [b'-'; UUID_TEXT_BYTES];
    let mut at = 0;
    for (index, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 0xf)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_7_begins_with_the_time() {
        // The example of RFC 9562, A.6.
        let text = uuid7_text(0x017f_22e2_79b0, 0xcc3_18c4_dc0c_0c07_398f);
        assert_eq!(std::str::from_utf8(&text).unwrap(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn ids_are_version_4_uuids() {
        let text = uuid_text(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(std::str::from_utf8(&text).unwrap(), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(std::str::from_utf8(&uuid_text(0)).unwrap(), "00000000-0000-4000-8000-000000000000");
    }
}
