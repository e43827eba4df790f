//! The head of a request: so many bytes and no more.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;

use super::auth::refuse;
use super::error::{ApiError, Code};
use crate::limits::HEADERS_BYTES_MAX;

/// Whether there is no more before the body than may be. The transport has larger limits of its own, beyond which it
/// answers by itself and not in our words.
pub(super) fn fits(request: &Request) -> bool {
    bytes(request) <= HEADERS_BYTES_MAX
}

/// Answers a request that does not fit. Nothing in it is looked at, so that one with a wrong method as well is told of its
/// size only: there is no 405, and no `Allow`. Must be called on a tokio runtime.
pub(super) fn too_large(request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    let message = format!("the request line and headers are larger than {HEADERS_BYTES_MAX} bytes");
    let mut response = refuse(request, ApiError::new(Code::HeadersTooLarge, message));
    if is_head {
        // For routes the router does this.
        *response.body_mut() = Body::empty();
    }
    response
}

/// What they take up on HTTP/1.1, or would.
fn bytes(request: &Request) -> usize {
    const LINE_BREAK: usize = 2;
    const COLON_AND_SPACE: usize = 2;
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let line = request.method().as_str().len() + target + " HTTP/1.1".len() + 1 + LINE_BREAK;
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        name.as_str().len() + COLON_AND_SPACE + value.len() + LINE_BREAK
    };
    line + request.headers().iter().map(header).sum::<usize>() + LINE_BREAK
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;
    use axum::http::StatusCode;
    use axum::http::header::ALLOW;

    use super::*;

    #[test]
    fn everything_before_the_body_counts() {
        let text = "GET /events?q=x HTTP/1.1\r\nhost: a\r\naccept: text/csv\r\naccept: */*\r\n\r\n";
        let request =
            || Request::get("/events?q=x").header("host", "a").header("accept", "text/csv").header("accept", "*/*");
        assert_eq!(bytes(&request().body(Body::empty()).unwrap()), text.len());
        let fill = |len: usize| "x".repeat(len - text.len() - "y: \r\n".len());
        let with = |len| request().header("y", fill(len)).body(Body::empty()).unwrap();
        assert!(fits(&with(HEADERS_BYTES_MAX)));
        assert!(!fits(&with(HEADERS_BYTES_MAX + 1)));
    }

    #[tokio::test]
    async fn answers_to_head_have_no_body() {
        for (method, is_empty) in [("GET", false), ("DELETE", false), ("HEAD", true)] {
            let request = Request::builder().method(method).uri("/events").body(Body::empty()).unwrap();
            let response = too_large(request);
            assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            assert_eq!((response.body().is_end_stream(), response.headers().get(ALLOW)), (is_empty, None), "{method}");
        }
    }
}
