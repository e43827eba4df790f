//! Request ids: taken over from the client or made, returned as `X-Request-Id`, and written with
//! every line of the log about the request.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// The header with the id of a request, in both directions.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
        let mut text = String::with_capacity(24);
        // Writing to a string cannot fail, and hex digits are a valid header.
        let _ = write!(text, "{:08x}-{:08x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed));
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("-"))
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
