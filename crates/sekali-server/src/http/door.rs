//! The one door: from a request to its route and back, the same for every protocol spoken over
//! HTTP.
//!
//! One table has everything that is known of a route: method, path, scope, parameters, header
//! class. Routing, 404, 405 with `Allow`, HEAD, CORS and the documentation all come from it. A
//! handler gets an [`Admitted`], which only the guard makes, so that a route without a guard does
//! not compile.

use std::sync::Arc;
use std::time::Instant;

use hyper::header::{ALLOW, CONTENT_LENGTH, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response};

use sekali_wire::stats::Address;

use super::access_log::{AccessLog, Entry, SlowRequest};
use super::answer::{ApiError, Body, Code, HeaderClass, add_headers};
use super::app::App;
use super::body::{RequestBody, discard};
use super::cors::Cors;
use super::guard::head;
use super::parameters::FILTERS;
use super::request_id::REQUEST_ID;
use super::route::{Admitted, Answering, Arrival, Route};
use super::routes::{ANY, GREETING, ROUTES, SHIPPER_ROUTES};
use crate::access::Access;
use crate::http::guard::Hosts;
use crate::limits::SLOW_REQUEST;
use crate::metrics::{Metrics, OpenConnection};
use crate::openapi::{RouteFacts, document};
use crate::pages::PageFile;
use crate::protocols::Port;
use crate::service::Service;
use crate::spent;
use crate::timeouts::Timeouts;

/// The access that browsers have to the server.
#[derive(Debug, Clone, Default)]
pub struct Browsers {
    /// Pages of these origins may read its answers.
    pub cors_origins: Vec<HeaderValue>,
    /// The only names it answers to while there are no keys, where the way to it is checked.
    pub hosts: Hosts,
}

/// The HTTP API of a running store. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Door {
    app: App,
    cors: Option<Arc<Cors>>,
    paths: Arc<Paths>,
}

/// The routes by path: of the main port, and of each that a protocol may have to itself.
struct Paths {
    main: matchit::Router<Methods>,
    ports: [(Port, matchit::Router<Methods>); Port::ALL.len()],
}

impl Paths {
    fn new() -> Self {
        Self { main: paths(None), ports: Port::ALL.map(|port| (port, paths(Some(port)))) }
    }

    fn of(&self, port: Option<Port>) -> &matchit::Router<Methods> {
        let found = port.and_then(|port| self.ports.iter().find(|(known, _)| *known == port));
        found.map_or(&self.main, |(_, paths)| paths)
    }
}

/// The routes of one path.
#[derive(Default)]
struct Methods {
    /// With their numbers in the table.
    routes: Vec<(usize, &'static Route)>,
}

impl Methods {
    fn find(&self, method: &Method) -> Option<(usize, &'static Route)> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().copied().find(|(_, route)| route.method == *method)
    }

    /// The `Allow` header.
    fn allowed(&self) -> String {
        let methods = self.routes.iter().map(|(_, route)| route.method.as_str());
        let methods = methods.flat_map(|method| [Some(method), (method == "GET").then_some("HEAD")]);
        methods.flatten().collect::<Vec<_>>().join(",")
    }
}

impl Door {
    /// The API of `service`, for clients that `access` admits.
    /// It listens on `addresses`.
    pub fn new(
        service: Service,
        access: Access,
        browsers: Browsers,
        timeouts: Timeouts,
        addresses: Vec<Address>,
    ) -> Self {
        let Browsers { cors_origins, hosts } = browsers;
        let routes = ROUTES.iter().chain(&SHIPPER_ROUTES);
        let metrics = Metrics::new(routes.map(|route| (route.method.as_str(), route.path)));
        let app = App::new(service, access, hosts, timeouts, metrics, describe, addresses);
        Self { app, cors: Cors::new(cors_origins).map(Arc::new), paths: Arc::new(Paths::new()) }
    }

    /// Counts a connection, until what this returns is dropped.
    pub(crate) fn connected(&self) -> OpenConnection {
        self.app.shared.metrics.connections.open()
    }

    /// Finds the route of a request that came this way, and admits or refuses it. The rest is left
    /// to [`Door::answer`]: it holds no request, so that it is small and cheap to move. Must be
    /// called on a tokio runtime.
    pub fn admit(&self, mut request: Request<RequestBody>, arrival: Arrival) -> PendingAnswer {
        let begun = Instant::now();
        let id = self.app.shared.ids.of(request.headers());
        let entry = AccessLog::begin(request.method(), request.uri().path());
        let origin = self.cors.as_deref().and_then(|cors| cors.admitted_origin(request.headers()));
        if origin.is_some() {
            // From here on it is like any other client.
            request.headers_mut().remove(ORIGIN);
        }
        let is_head = request.method() == Method::HEAD;
        let (number, progress) = self.route(request, arrival, &id);
        PendingAnswer { begun, number, progress, is_head, id, entry, origin }
    }

    /// Answers a request, gives the answer its id, and logs both.
    pub async fn answer(&self, pending: PendingAnswer) -> Response<Body> {
        let PendingAnswer { begun, number, progress, is_head, id, entry, origin } = pending;
        let mut handled = None;
        let (mut response, class, may_be_read) = match progress {
            Progress::Handling { route, answering } => {
                let (answer, spent) = spent::measured(answering).await;
                handled = Some((route, spent));
                (answer.unwrap_or_else(|error| self.refuse_by(route, &id, error)), route.headers, true)
            }
            Progress::Refused { route, error } => (self.refuse_by(route, &id, error), route.headers, true),
            Progress::Answered(response) => (response, HeaderClass::Data, true),
            Progress::Preflight(response) => (response, HeaderClass::Data, false),
        };
        finish(&mut response, class, is_head);
        if let Some(cors) = self.cors.as_deref().filter(|_| may_be_read) {
            cors.allow(origin, response.headers_mut());
        }
        let (status, time) = (response.status(), begun.elapsed());
        self.app.shared.metrics.requests.count(number, status.as_u16(), time);
        // The time that a client took itself is its own affair.
        if let Some((route, spent)) = handled
            && time.saturating_sub(spent.by_client()) >= SLOW_REQUEST
        {
            let (method, path, id) = (&route.method, route.path, &id);
            self.app.shared.log.took(&SlowRequest { method, path, id, status, time, spent });
        }
        AccessLog::answered(entry, &id, status, time);
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }

    /// Finds the number of the route and begins to answer.
    fn route(&self, request: Request<RequestBody>, arrival: Arrival, id: &HeaderValue) -> (Option<usize>, Progress) {
        let app = &self.app;
        // A head that is too large is refused before anything in it is looked at.
        if !head::fits(&request) {
            return (None, Progress::Answered(refuse(app, request, id, head::too_large())));
        }
        if let Some(cors) = self.cors.as_deref().filter(|_| request.method() == Method::OPTIONS) {
            let (parts, body) = request.into_parts();
            discard(&parts.headers, body);
            return (None, Progress::Preflight(cors.preflight(&parts.headers)));
        }
        let found = self.paths.of(arrival.port).at(request.uri().path());
        let (methods, segments) = match &found {
            Ok(found) => (Some(found.value), found.params.iter().map(|(_, value)| value.to_owned()).collect()),
            Err(_) => (None, Vec::new()),
        };
        let Some((number, route)) = methods.and_then(|methods| methods.find(request.method())) else {
            return (None, Progress::Answered(no_route(app, request, id, methods, arrival)));
        };
        let admitted = app.shared.gate.admit(route.scope, route.keys, &request, arrival.checks_host);
        let (parts, body) = request.into_parts();
        let progress = match admitted {
            Ok(grant) => {
                let admitted =
                    Admitted { app: app.clone(), grant, network: arrival.network, parts, body, route, segments };
                Progress::Handling { route, answering: (route.answer)(Box::new(admitted)) }
            }
            Err(error) => {
                discard(&parts.headers, body);
                Progress::Refused { route, error }
            }
        };
        (Some(number), progress)
    }

    fn refuse_by(&self, route: &Route, id: &HeaderValue, error: ApiError) -> Response<Body> {
        self.app.shared.log.refused(&route.method, route.path, id, &error);
        (route.refuse)(error)
    }
}

/// A request on its way to an answer.
pub struct PendingAnswer {
    begun: Instant,
    /// That of its route.
    number: Option<usize>,
    progress: Progress,
    is_head: bool,
    id: HeaderValue,
    entry: Option<Entry>,
    /// The origin of a page that may read the answer.
    origin: Option<HeaderValue>,
}

enum Progress {
    Handling { route: &'static Route, answering: Answering },
    Refused { route: &'static Route, error: ApiError },
    Answered(Response<Body>),
    Preflight(Response<Body>),
}

/// All routes, described for programs.
fn describe() -> &'static PageFile {
    document(described_routes())
}

/// All routes, as far as programs are told of them.
pub(crate) fn described_routes() -> impl Iterator<Item = RouteFacts> {
    ROUTES.iter().chain(&SHIPPER_ROUTES).map(|route| RouteFacts {
        method: route.method.as_str(),
        path: route.path,
        scope: route.scope,
        schemes: route.keys.iter().map(|scheme| scheme.name()).collect(),
        parameters: route.parameters.iter().copied().filter(|name| ![ANY, FILTERS].contains(name)).collect(),
        takes_filters: route.parameters.contains(&FILTERS),
        takes_any: route.parameters.contains(&ANY),
    })
}

/// The routes of a port, by path. Health is asked for on all of them.
fn paths(port: Option<Port>) -> matchit::Router<Methods> {
    let is_health = |route: &Route| matches!(route.path, "/livez" | "/readyz");
    let all = ROUTES.iter().chain(&SHIPPER_ROUTES).enumerate().map(|(number, route)| match route.path {
        "/" if port == GREETING.port => (number, &GREETING),
        _ => (number, route),
    });
    let mut paths: Vec<(&str, Methods)> = Vec::new();
    for (number, route) in all.filter(|(_, route)| port.is_none() || route.port == port || is_health(route)) {
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, methods)) => methods.routes.push((number, route)),
            None => paths.push((route.path, Methods { routes: vec![(number, route)] })),
        }
    }
    let mut router = matchit::Router::new();
    for (path, methods) in paths {
        // The table has no two paths that contradict each other: a test inserts them all.
        let _ = router.insert(path, methods);
    }
    router
}

/// Answers a request that belongs to no route with an error, and discards the body.
fn refuse(app: &App, request: Request<RequestBody>, id: &HeaderValue, error: ApiError) -> Response<Body> {
    app.shared.log.refused(request.method(), request.uri().path(), id, &error);
    let (parts, body) = request.into_parts();
    discard(&parts.headers, body);
    error.into_response()
}

/// 404 or 405, told only to clients that may ask this server at all.
fn no_route(
    app: &App,
    request: Request<RequestBody>,
    id: &HeaderValue,
    methods: Option<&Methods>,
    arrival: Arrival,
) -> Response<Body> {
    let path = request.uri().path();
    let error = match methods {
        Some(_) => {
            let message = format!("{path} does not take {}; see the Allow header", request.method());
            ApiError::new(Code::MethodNotAllowed, message)
        }
        None => {
            let hint = match arrival.port {
                Some(port) => format!("this port serves {} only, under {}", port.name(), port.root()),
                None => neighbours(path),
            };
            ApiError::new(Code::NotFound, format!("there is no {path}; {hint}"))
        }
    };
    let error = app.shared.gate.admit_any(&request, arrival.checks_host).err().unwrap_or(error);
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
    // Pages are for people, who follow links.
    let routes = || ROUTES.iter().filter(|route| route.headers == HeaderClass::Data);
    let near: Vec<_> = routes().filter(|route| first(route.path) == first(path)).map(Route::name).collect();
    if near.is_empty() {
        let mut all: Vec<_> = routes().map(|route| format!("/{}", first(route.path))).collect();
        all.dedup();
        format!("paths begin with {}", all.join(", "))
    } else {
        format!("there are {}", near.join(", "))
    }
}

/// Adds the headers of every answer. The answer to HEAD loses its body and keeps its length.
fn finish(response: &mut Response<Body>, class: HeaderClass, is_head: bool) {
    add_headers(response.headers_mut(), class);
    if is_head {
        if let Some(bytes) = response.body().exact_len() {
            response.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(bytes));
        }
        *response.body_mut() = Body::empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_by_its_path_and_method() {
        let mut router = matchit::Router::new();
        for route in ROUTES.iter().chain(&SHIPPER_ROUTES) {
            assert!(router.insert(route.path, ()).is_ok() || router.at(&route.path.replace(['{', '}'], "x")).is_ok());
        }
        let paths = paths(None);
        for route in ROUTES.iter().chain(&SHIPPER_ROUTES) {
            let path = route.path.replace('{', "x").replace('}', "y");
            let (number, found) = paths.at(&path).unwrap().value.find(&route.method).unwrap();
            let numbered = ROUTES.iter().chain(&SHIPPER_ROUTES).nth(number).unwrap();
            assert_eq!((found.path, numbered.path), (route.path, route.path));
        }
        assert!(paths.at("/nowhere").is_err());
        assert_eq!(paths.at("/").unwrap().value.routes[0].1.headers, HeaderClass::Page);
    }

    #[test]
    fn a_port_of_a_protocol_has_its_routes_and_health_only() {
        let all = Paths::new();
        for port in Port::ALL {
            let served = |path: &str| all.of(Some(port)).at(path).is_ok();
            assert!(served(port.root()) && served("/readyz"), "{port:?}");
            let others = Port::ALL.into_iter().filter(|other| *other != port && other.root() != "/");
            assert!(
                others.map(Port::root).chain(["/publish", "/events", "/explore", "/webhooks/t"]).all(|path| {
                    let mut methods =
                        all.of(Some(port)).at(path).ok().into_iter().flat_map(|found| &found.value.routes);
                    methods.all(|(_, route)| route.port == Some(port))
                }),
                "{port:?}"
            );
        }
        let greeting = all.of(Some(Port::Elasticsearch)).at("/").unwrap();
        assert_eq!(greeting.value.find(&Method::GET).unwrap().1.port, Some(Port::Elasticsearch));
    }

    #[test]
    fn a_path_names_its_neighbours() {
        let all = neighbours("/topic");
        assert!(all.starts_with("paths begin with /publish, ") && all.ends_with(", /livez, /readyz"), "{all}");
        assert!(["/events", "/topics", "/metrics"].iter().all(|path| all.contains(path)), "{all}");
        assert!(neighbours("/events/a/b/c").starts_with("there are GET /events, GET /events/count"));
    }
}
