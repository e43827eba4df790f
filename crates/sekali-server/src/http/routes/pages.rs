//! The pages and their files. They hold no data and need no key: the requests of their scripts do.

use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    VARY,
};
use hyper::{Response, StatusCode};

use super::ship::probe;
use crate::http::answer::{ApiError, Body, Code};
use crate::http::route::{Admitted, Answer};
use crate::pages::{Page, PageFile, asset};
use crate::protocols::elasticsearch::probes::greeting;

/// The overview for browsers, and for other clients the greeting of Elasticsearch.
pub(super) async fn home(request: Box<Admitted>) -> Answer {
    let headers = &request.parts.headers;
    if lists(headers, &ACCEPT, "text/html") {
        return page(request, Page::Overview).await;
    }
    probe(request, greeting).await
}

/// One page.
pub(super) async fn page(request: Box<Admitted>, page: Page) -> Answer {
    let file = page.file().ok_or_else(|| ApiError::new(Code::NotFound, "there is no such page"))?;
    Ok(send(file, &request.parts.headers))
}

/// One file of the pages.
pub(super) async fn file(request: Box<Admitted>) -> Answer {
    let (version, name) = (request.segment(0)?, request.segment(1)?);
    match asset(&version, &name) {
        Some(file) => Ok(send(file, &request.parts.headers)),
        None => Err(ApiError::new(Code::NotFound, "the pages of this server have no such file; load the page again")),
    }
}

/// A file that was made ready, unless the client has it.
pub(super) fn send(file: &'static PageFile, asked: &HeaderMap) -> Response<Body> {
    let is_known = lists(asked, &IF_NONE_MATCH, &file.tag);
    let is_gzip = lists(asked, &ACCEPT_ENCODING, "gzip");
    let content = if is_gzip { &file.gzip } else { &file.plain };
    let mut response = Response::new(if is_known { Body::empty() } else { content.clone().into() });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media));
        if is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    response
}

/// Whether a header lists this item, and not with the weight 0.
fn lists(headers: &HeaderMap, name: &HeaderName, item: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|listed| {
        let mut parts = listed.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|listed| listed.trim_start_matches("W/").eq_ignore_ascii_case(item));
        is_it && !parts.any(|part| part.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_counts_unless_its_weight_is_nothing() {
        let lists = |text: &'static str| {
            lists(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))]), &ACCEPT_ENCODING, "gzip")
        };
        for yes in ["gzip", "br, gzip", "deflate,GZIP;q=0.5", "identity;q=0, gzip;q=1"] {
            assert!(lists(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip"] {
            assert!(!lists(no), "{no}");
        }
    }
}
