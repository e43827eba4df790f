//! The HTTP API: routes, what they read and what they answer. `docs/API.md` describes it, and a test compares the two.
//!
//! Handlers are short: they read what was asked, call [`ingest`](crate::ingest), [`pipeline`](crate::pipeline) or the
//! engine's readers, and write the answer. Sockets are [`server`](crate::server)'s business.

mod app;
mod body;
mod count;
mod cursor;
mod error;
mod event;
mod event_json;
mod events;
mod filters;
pub(crate) mod fuzzing;
mod headers;
mod health;
mod json;
mod layout;
mod media;
mod merge;
mod page;
mod patience;
mod publish;
mod query;
mod reads;
mod select;
mod stats;
mod stream;
mod topics;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use app::App;
pub use error::{Code, Stored};

use error::ApiError;

/// One route of the API.
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, with `{name}` where anything may stand.
    pub path: &'static str,
    handler: MethodRouter<App>,
}

/// Every route there is.
pub fn routes() -> Vec<Route> {
    fn reading<T: 'static>(path: &'static str, handler: impl Handler<T, App>) -> Route {
        Route { method: "GET", path, handler: get(handler) }
    }
    vec![
        Route { method: "POST", path: "/publish", handler: post(publish::publish) },
        reading("/events", events::events),
        reading("/events/count", count::count),
        reading("/events/{topic}/{event_id}", event::event),
        reading("/topics", topics::topics),
        reading("/stats", stats::stats),
        reading("/livez", health::livez),
        reading("/readyz", health::readyz),
    ]
}

/// The service. Browsers of other origins than `cors_origins` may not read its answers.
pub fn router(app: App, cors_origins: Vec<HeaderValue>) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
    let router = router
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(axum::middleware::map_request(headers::limit))
        .layer(axum::middleware::map_response(with_common_headers))
        .with_state(app);
    if cors_origins.is_empty() { router } else { router.layer(cors(cors_origins)) }
}

async fn no_such_route(request: Request) -> ApiError {
    let path = request.uri().path();
    let routes: Vec<_> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    ApiError::new(Code::NotFound, format!("there is no {path}; there are {}", routes.join(", ")))
}

async fn no_such_method(request: Request) -> ApiError {
    let message = format!("{} does not take {}; see the Allow header", request.uri().path(), request.method());
    ApiError::new(Code::MethodNotAllowed, message)
}

async fn with_common_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, LINK, RETRY_AFTER};
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([ACCEPT, CONTENT_ENCODING, CONTENT_TYPE])
        .expose_headers([LINK, RETRY_AFTER, events::NEXT_CURSOR])
}
