//! The head of a request: bounded, before anything in it is looked at.

use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};

use crate::http::answer::{ApiError, Code};
use crate::limits::HEADERS_BYTES_MAX;

/// Whether the request line and headers are small enough. The transport has larger limits of its
/// own, beyond which it answers by itself and not in our words.
pub(in crate::http) fn fits<B>(request: &Request<B>) -> bool {
    bytes(request) <= HEADERS_BYTES_MAX
}

/// The error for a head that does not fit. Nothing in it is looked at, so there is no 405 and no
/// `Allow`.
pub(in crate::http) fn too_large() -> ApiError {
    let message = format!("the request line and headers are larger than {HEADERS_BYTES_MAX} bytes");
    ApiError::new(Code::HeadersTooLarge, message)
}

/// The bytes of the head on HTTP/1.1, also for requests that came by HTTP/2.
fn bytes<B>(request: &Request<B>) -> usize {
    const LINE_BREAK: usize = 2;
    const COLON_AND_SPACE: usize = 2;
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let line = request.method().as_str().len() + target + " HTTP/1.1".len() + 1 + LINE_BREAK;
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + COLON_AND_SPACE + value.len() + LINE_BREAK;
    line + request.headers().iter().map(header).sum::<usize>() + LINE_BREAK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_before_the_body_counts() {
        let text = "GET /events?q=x HTTP/1.1\r\nhost: a\r\naccept: text/csv\r\naccept: */*\r\n\r\n";
        let request =
            || Request::get("/events?q=x").header("host", "a").header("accept", "text/csv").header("accept", "*/*");
        assert_eq!(bytes(&request().body(()).unwrap()), text.len());
        let fill = |len: usize| "x".repeat(len - text.len() - "y: \r\n".len());
        let with = |len| request().header("y", fill(len)).body(()).unwrap();
        assert!(fits(&with(HEADERS_BYTES_MAX)));
        assert!(!fits(&with(HEADERS_BYTES_MAX + 1)));
    }
}
