//! Events as one JSON array of bounded size, with the cursor of the next.

use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use sekali_store::Order;

use super::PageRequest;
use crate::clients::Client;
use crate::http::answer::{ApiError, Body, RESUME_CURSOR, add_next_page, json_text};
use crate::http::page::{PageQuery, read_page};
use crate::service::Service;

/// Reads a page and answers with it.
pub(super) async fn answer(
    service: &Service,
    client: Client,
    request: PageRequest,
    wanted: PageQuery,
) -> Result<Response<Body>, ApiError> {
    let page = read_page(service, client, wanted).await?;
    let cursor = service.cursor_key().seal(request.scope(), &page.positions);
    let mut response = json_text(Bytes::from_owner(page.text));
    if page.more {
        add_next_page(response.headers_mut(), &request.next_page(&cursor), &cursor);
    } else if request.order == Order::Ascending {
        // It is base64, which headers take.
        let _ = HeaderValue::from_str(&cursor).map(|cursor| response.headers_mut().insert(RESUME_CURSOR, cursor));
    }
    Ok(response)
}
