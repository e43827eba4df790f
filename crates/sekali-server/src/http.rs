//! The HTTP API: routes, what they read and what they answer. `docs/API.md` describes it, and a test compares the two.
//!
//! Handlers are short: they read what was asked, call [`ingest`](crate::ingest), [`pipeline`](crate::pipeline) or the
//! engine's readers, and write the answer. Sockets are [`server`](crate::server)'s business.

mod app;
mod auth;
mod blocking;
mod body;
mod count;
mod cursor;
mod error;
mod event;
mod event_json;
mod events;
mod filters;
pub(crate) mod fuzzing;
mod head;
mod headers;
mod health;
mod hosts;
mod json;
mod layout;
mod media;
mod merge;
mod page;
mod patience;
mod publish;
mod query;
mod reads;
mod refusals;
mod select;
mod stats;
mod stream;
mod topics;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use tower::ServiceExt as _;
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use app::App;
pub use error::{Code, Stored};
pub use hosts::Hosts;

use crate::access::Scope;
use auth::{Admitted, Guarded, let_in, refuse};
use error::ApiError;

/// One route of the API.
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, with `{name}` where anything may stand.
    pub path: &'static str,
    /// What a key must have been made for. `None` is answered to everybody.
    pub scope: Option<Scope>,
    handler: MethodRouter<App>,
}

/// What browsers may do with the service.
#[derive(Debug, Clone, Default)]
pub struct Browsers {
    /// Pages of these origins may read its answers.
    pub cors_origins: Vec<HeaderValue>,
    /// The only names it answers to while there are no keys. `None` is any.
    pub hosts: Option<Hosts>,
}

const PUBLISH_PATH: &str = "/publish";
const PUBLISH_SCOPE: Option<Scope> = Some(Scope::Publish);

/// Every route there is.
pub fn routes() -> Vec<Route> {
    fn get_for<T: 'static>(scope: Option<Scope>, path: &'static str, handler: impl Handler<T, Admitted>) -> Route {
        Route { method: "GET", path, scope, handler: get(Guarded { scope, handler }) }
    }
    let read = Some(Scope::Read);
    let publisher = post(Guarded { scope: PUBLISH_SCOPE, handler: publish::publish });
    vec![
        Route { method: "POST", path: PUBLISH_PATH, scope: PUBLISH_SCOPE, handler: publisher },
        get_for(read, "/events", events::events),
        get_for(read, "/events/count", count::count),
        get_for(read, "/events/{topic}/{event_id}", event::event),
        get_for(read, "/topics", topics::topics),
        get_for(read, "/stats", stats::stats),
        get_for(None, "/livez", health::livez),
        get_for(None, "/readyz", health::readyz),
    ]
}

/// The service: what stands before all routes and behind all answers, and the routes between.
///
/// Little of it is middleware of axum: each layer costs every request several allocations, and clones of all layers below.
#[derive(Clone)]
pub struct Service {
    routes: Router,
    /// For requests to publish, which go past the router: it takes as long as storing an event. `None` where there is something
    /// between router and routes.
    publisher: Option<App>,
}

impl Service {
    /// The service.
    pub fn new(app: App, browsers: Browsers) -> Self {
        let mut router = Router::new();
        for route in routes() {
            router = router.route(route.path, route.handler);
        }
        router = router.fallback(no_such_route).method_not_allowed_fallback(no_such_method);
        let app = app.answering_to(browsers.hosts);
        let publisher = browsers.cors_origins.is_empty().then(|| app.clone());
        if !browsers.cors_origins.is_empty() {
            router = router.layer(cors(browsers.cors_origins));
        }
        Self { routes: router.with_state(app), publisher }
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request) -> Response {
        let mut response = match &self.publisher {
            _ if !head::fits(&request) => head::too_large(request),
            Some(app) if is_to_publish(&request) => publish(app, request).await,
            _ => route(&self.routes, request).await,
        };
        headers::add_common(&mut response);
        response
    }
}

async fn route(router: &Router, request: Request) -> Response {
    let Ok(response) = router.clone().oneshot(request).await;
    response
}

fn is_to_publish(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path() == PUBLISH_PATH
}

/// What the router would do.
async fn publish(app: &App, request: Request) -> Response {
    match let_in(app, PUBLISH_SCOPE, &request) {
        Ok(grant) => publish::publish_for(app, &grant, request).await.into_response(),
        Err(error) => refuse(request, error),
    }
}

async fn no_such_route(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    let routes: Vec<_> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let error = ApiError::new(Code::NotFound, format!("there is no {path}; there are {}", routes.join(", ")));
    refuse_with(&app, request, error)
}

async fn no_such_method(State(app): State<App>, request: Request) -> Response {
    let message = format!("{} does not take {}; see the Allow header", request.uri().path(), request.method());
    refuse_with(&app, request, ApiError::new(Code::MethodNotAllowed, message))
}

/// Refuses with `error`, which only those are told who may ask at all.
fn refuse_with(app: &App, request: Request, error: ApiError) -> Response {
    let may_ask = hosts::check(app, &request).and_then(|()| app.gate.admit(request.headers()));
    let error = may_ask.err().unwrap_or(error);
    refuse(request, error)
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    use axum::http::header::{
        ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, LINK, RETRY_AFTER, WWW_AUTHENTICATE,
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE])
        .expose_headers([LINK, RETRY_AFTER, WWW_AUTHENTICATE, events::NEXT_CURSOR])
}
