//! The one door: from a request to its route and back, the same for every protocol spoken over HTTP.
//!
//! One table has everything that is known of a route: method, path, scope, parameters, header class. Routing, 404, 405
//! with `Allow`, HEAD, CORS and the documentation all come from it. A handler gets an [`Admitted`], which only the guard
//! makes, so that a route without a guard does not compile.

use std::pin::Pin;

use hyper::header::{ALLOW, CONTENT_LENGTH, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;

use super::access_log::AccessLog;
use super::answer::{ApiError, Body, Code, add_headers};
use super::app::App;
use super::body::{RequestBody, discard};
use super::guard::{admit, admit_any, head};
use super::parameters::Parameters;
use super::request_id::REQUEST_ID;
use super::routes::ROUTES;
use crate::access::{Grant, Scope};

/// The answer of a handler: an error is worded by the route.
pub(super) type Answer = Result<Response<Body>, ApiError>;
/// A handler at work.
pub(super) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One route of the API.
pub struct Route {
    /// The method. A route for GET answers HEAD as well.
    pub method: Method,
    /// The path, with `{name}` where any text may stand.
    pub path: &'static str,
    /// The scope that a key must have. `None` is open to every client.
    pub scope: Option<Scope>,
    /// The headers of its answers.
    pub headers: HeaderClass,
    /// The query parameters that it takes.
    pub parameters: &'static [&'static str],
    /// Answers a request that was admitted.
    pub(super) answer: fn(Box<Admitted>) -> Answering,
    /// Words an error in the route's protocol.
    pub(super) refuse: fn(ApiError) -> Response<Body>,
}

/// What a browser may do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderClass {
    /// Data: not to be guessed at, kept, run, framed or embedded.
    Data,
    /// A page of our own: it runs our scripts and styles, asks this server, and is asked for again each time.
    Page,
    /// A file of such a page under a versioned path: kept for ever.
    Asset,
}

/// A request that the guard has let in. Boxed: it is large, and each await of its handler would copy it.
pub(super) struct Admitted {
    pub(super) app: App,
    pub(super) grant: Grant,
    pub(super) parts: Parts,
    pub(super) body: RequestBody,
    route: &'static Route,
    /// The text of each `{name}` in the path, still percent-encoded.
    segments: Vec<String>,
}

impl Admitted {
    /// The query parameters, of which the route takes only those of its table.
    ///
    /// # Errors
    /// `invalid_parameter`; the body is discarded then.
    pub(super) fn parameters(&self) -> Result<Parameters<'_>, ApiError> {
        Parameters::parse(self.parts.uri.query(), self.route.parameters)
    }

    /// The decoded text of the `{name}` number `at` in the path.
    ///
    /// # Errors
    /// `invalid_parameter`: it is not UTF-8.
    pub(super) fn segment(&self, at: usize) -> Result<String, ApiError> {
        let text = self.segments.get(at).map_or("", String::as_str);
        let decoded = percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| ApiError::new(Code::InvalidParameter, "the path must be percent-encoded UTF-8"))
    }
}

/// The routes by path.
pub(super) struct Door {
    paths: matchit::Router<Methods>,
}

/// The routes of one path.
#[derive(Default)]
struct Methods {
    routes: Vec<&'static Route>,
}

impl Methods {
    fn find(&self, method: &Method) -> Option<&'static Route> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().copied().find(|route| route.method == *method)
    }

    /// The `Allow` header.
    fn allowed(&self) -> String {
        let methods = self.routes.iter().map(|route| route.method.as_str());
        let methods = methods.flat_map(|method| [Some(method), (method == "GET").then_some("HEAD")]);
        methods.flatten().collect::<Vec<_>>().join(",")
    }
}

impl Door {
    /// The door to [`ROUTES`].
    pub(super) fn new() -> Self {
        let mut paths: Vec<(&str, Methods)> = Vec::new();
        for route in &ROUTES {
            match paths.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, methods)) => methods.routes.push(route),
                None => paths.push((route.path, Methods { routes: vec![route] })),
            }
        }
        let mut router = matchit::Router::new();
        for (path, methods) in paths {
            // The table has no two paths that contradict each other: a test inserts them all.
            let _ = router.insert(path, methods);
        }
        Self { paths: router }
    }
}

/// Answers a request, gives the answer its id, and logs both.
pub(super) async fn answer(app: &App, request: Request<RequestBody>) -> Response<Body> {
    let id = app.shared.ids.of(request.headers());
    let entry = AccessLog::begin(request.method(), request.uri().path());
    let mut response = match &app.shared.cors {
        None => routed(app, request, &id).await,
        Some(cors) if request.method() == Method::OPTIONS => {
            let (parts, body) = request.into_parts();
            discard(&parts.headers, body);
            finish(cors.preflight(&parts.headers), HeaderClass::Data, false)
        }
        Some(cors) => {
            let origin = cors.admitted_origin(request.headers());
            let mut response = routed(app, request, &id).await;
            cors.allow(origin, response.headers_mut());
            response
        }
    };
    AccessLog::answered(entry, &id, response.status());
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn routed(app: &App, request: Request<RequestBody>, id: &HeaderValue) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    if !head::fits(&request) {
        return finish(refuse(app, request, id, head::too_large()), HeaderClass::Data, is_head);
    }
    let found = app.shared.door.paths.at(request.uri().path());
    let (methods, segments) = match &found {
        Ok(found) => (Some(found.value), found.params.iter().map(|(_, value)| value.to_owned()).collect()),
        Err(_) => (None, Vec::new()),
    };
    let Some(route) = methods.and_then(|methods| methods.find(request.method())) else {
        return finish(no_route(app, request, id, methods), HeaderClass::Data, is_head);
    };
    let outcome = match admit(app, route.scope, &request) {
        Ok(grant) => {
            let (parts, body) = request.into_parts();
            (route.answer)(Box::new(Admitted { app: app.clone(), grant, parts, body, route, segments })).await
        }
        Err(error) => {
            let (parts, body) = request.into_parts();
            discard(&parts.headers, body);
            Err(error)
        }
    };
    let response = outcome.unwrap_or_else(|error| {
        app.shared.log.refused(&route.method, route.path, id, &error);
        (route.refuse)(error)
    });
    finish(response, route.headers, is_head)
}

/// Answers a request that belongs to no route with an error, and discards the body.
fn refuse(app: &App, request: Request<RequestBody>, id: &HeaderValue, error: ApiError) -> Response<Body> {
    app.shared.log.refused(request.method(), request.uri().path(), id, &error);
    let (parts, body) = request.into_parts();
    discard(&parts.headers, body);
    error.into_response()
}

/// 404 or 405, told only to clients that may ask this server at all.
fn no_route(app: &App, request: Request<RequestBody>, id: &HeaderValue, methods: Option<&Methods>) -> Response<Body> {
    let path = request.uri().path();
    let error = match methods {
        Some(_) => {
            let message = format!("{path} does not take {}; see the Allow header", request.method());
            ApiError::new(Code::MethodNotAllowed, message)
        }
        None => ApiError::new(Code::NotFound, format!("there is no {path}; {}", neighbours(path))),
    };
    let error = admit_any(app, &request).err().unwrap_or(error);
    let is_method = error.code == Code::MethodNotAllowed;
    let mut response = refuse(app, request, id, error);
    if let Some(allowed) = methods.filter(|_| is_method).map(Methods::allowed)
        && let Ok(allowed) = HeaderValue::from_str(&allowed)
    {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The routes that begin as `path` does, or where routes begin.
fn neighbours(path: &str) -> String {
    let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
    let near: Vec<_> = ROUTES.iter().filter(|route| first(route.path) == first(path)).map(Route::name).collect();
    if near.is_empty() {
        let mut all: Vec<_> = ROUTES.iter().map(|route| format!("/{}", first(route.path))).collect();
        all.dedup();
        format!("paths begin with {}", all.join(", "))
    } else {
        format!("there are {}", near.join(", "))
    }
}

impl Route {
    /// Method and path, as documents write them.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Adds the headers of every answer. The answer to HEAD loses its body and keeps its length.
fn finish(mut response: Response<Body>, class: HeaderClass, is_head: bool) -> Response<Body> {
    add_headers(response.headers_mut(), class);
    if is_head {
        if let Some(bytes) = response.body().exact_len() {
            response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(bytes));
        }
        *response.body_mut() = Body::empty();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_by_its_path_and_method() {
        let mut router = matchit::Router::new();
        for route in &ROUTES {
            assert!(router.insert(route.path, ()).is_ok() || ROUTES.iter().any(|other| other.path == route.path));
        }
        let door = Door::new();
        for route in &ROUTES {
            let path = route.path.replace('{', "x").replace('}', "y");
            let found = door.paths.at(&path).unwrap().value.find(&route.method).unwrap();
            assert_eq!(found.path, route.path);
        }
        assert!(door.paths.at("/nowhere").is_err());
    }

    #[test]
    fn a_path_names_its_neighbours() {
        assert_eq!(neighbours("/topic"), "paths begin with /publish, /events, /topics, /stats, /livez, /readyz");
        assert!(neighbours("/events/a/b/c").starts_with("there are GET /events, GET /events/count"));
    }
}
