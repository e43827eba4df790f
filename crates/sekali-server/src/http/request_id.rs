//! Request ids: taken over from the client or made, returned as `X-Request-Id`, and written with
//! every line of the log about the request.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// The header with the id of a request, in both directions.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Stands in ready-made headers for the id of a request, which replaces it.
pub(super) const PLACEHOLDER: HeaderValue = HeaderValue::from_static("-");

/// The digits of 32 bits.
const HEX_DIGITS: usize = 8;
/// The length of an id that is made here: two numbers, and a hyphen between them.
const ID_BYTES: usize = 2 * HEX_DIGITS + 1;
/// Longest id that is taken over, in bytes.
const BYTES_MAX: usize = 128;

/// Makes the ids of a server: its own random prefix, and a count.
#[derive(Debug)]
pub(super) struct RequestIds {
    prefix: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self { prefix: rand::random(), next: AtomicU64::new(1) }
    }

    /// The id of a request: the client's, if it is plain text of sensible length.
    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID).filter(|id| is_sensible(id.as_bytes()));
        given.cloned().unwrap_or_else(|| self.make())
    }

    fn make(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'-'; ID_BYTES];
        append_hex(&mut text[..HEX_DIGITS], self.prefix);
        // The count begins again after four billion requests: ids are for the log of the last days.
        append_hex(&mut text[HEX_DIGITS + 1..], number as u32);
        HeaderValue::from_bytes(&text).unwrap_or(PLACEHOLDER)
    }
}

/// Writes a number as lower-case hex digits. Each request has two of these: `format!` costs ten
/// times as much.
fn append_hex(text: &mut [u8], number: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (at, digit) in text.iter_mut().enumerate() {
        let shift = 4 * (HEX_DIGITS - 1 - at);
        *digit = DIGITS[(number >> shift) as usize & 0xF];
    }
}

/// Whether an id is visible ASCII of 1 to [`BYTES_MAX`] bytes: safe in logs and headers.
fn is_sensible(id: &[u8]) -> bool {
    (1..=BYTES_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_have_the_prefix_and_the_count() {
        let ids = RequestIds { prefix: 0x00ab_cdef, next: AtomicU64::new(0x1_0000_00ff) };
        assert_eq!(ids.make(), "00abcdef-000000ff");
    }

    #[test]
    fn a_sensible_id_is_taken_over_and_any_other_replaced() {
        let ids = RequestIds::new();
        let of = |id: &[u8]| ids.of(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(id).unwrap())]));
        assert_eq!(of(b"abc-123"), "abc-123");
        for odd in [&b""[..], b"a b", "\u{e9}".as_bytes(), &[b'x'; BYTES_MAX + 1]] {
            assert_ne!(of(odd).as_bytes(), odd);
        }
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
