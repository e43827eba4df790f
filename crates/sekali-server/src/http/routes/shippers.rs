//! The routes of other people's clients. `docs/SHIPPERS.md` describes them.

use hyper::Method;

use super::ship::{ANY, probe, refuse, ship, webhook};
use crate::access::Scope;
use crate::http::answer::{ApiError, Code, HeaderClass};
use crate::http::guard::KeyScheme;
use crate::http::route::{Admitted, Answer, Answering, Route};
use crate::protocols::cloudevents::{self, CloudEvents};
use crate::protocols::elasticsearch::{Bulk, Document, probes};
use crate::protocols::hec::{self, Acknowledgement, Collector};
use crate::protocols::loki::Push;
use crate::protocols::otlp::Logs;
use crate::protocols::otlp::grpc::GrpcLogs;
use crate::protocols::segment::Messages;
use crate::protocols::webhooks::Delivery;
use crate::protocols::{Adapter, Port, Reply};

const KEYS: &[KeyScheme] = &[KeyScheme::Bearer, KeyScheme::Basic, KeyScheme::ApiKey, KeyScheme::Splunk];

/// The method of OTLP over gRPC.
const EXPORT: &str = Port::OtlpGrpc.root();

/// Routes by which other people's clients come in.
pub static SHIPPER_ROUTES: [Route; 48] = [
    bulk(Method::POST, "/_bulk"),
    bulk(Method::PUT, "/_bulk"),
    bulk(Method::POST, "/{index}/_bulk"),
    bulk(Method::PUT, "/{index}/_bulk"),
    document(Method::POST, "/{index}/_doc"),
    document(Method::POST, "/{index}/_doc/{id}"),
    document(Method::PUT, "/{index}/_doc/{id}"),
    document(Method::POST, "/{index}/_create/{id}"),
    document(Method::PUT, "/{index}/_create/{id}"),
    elastic(Method::GET, "/_cluster/health", |request| Box::pin(probe(request, probes::cluster_health))),
    elastic(Method::GET, "/_cluster/health/{index}", |request| Box::pin(probe(request, probes::cluster_health))),
    elastic(Method::GET, "/_cat/health", |request| Box::pin(probe(request, probes::cat_health))),
    elastic(Method::GET, "/_license", |request| Box::pin(probe(request, probes::license))),
    elastic(Method::GET, "/_xpack", there),
    elastic(Method::GET, "/_ilm/policy/{name}", there),
    elastic(Method::GET, "/_template/{name}", there),
    elastic(Method::GET, "/_index_template/{name}", there),
    elastic(Method::GET, "/_component_template/{name}", there),
    elastic(Method::GET, "/_data_stream/{name}", there),
    elastic(Method::GET, "/_ingest/pipeline/{name}", there),
    elastic(Method::GET, "/_nodes", there),
    elastic(Method::GET, "/_nodes/http", there),
    elastic(Method::GET, "/{index}/_refresh", |request| Box::pin(probe(request, probes::refreshed))),
    elastic(Method::POST, "/{index}/_refresh", |request| Box::pin(probe(request, probes::refreshed))),
    elastic(Method::POST, "/_refresh", |request| Box::pin(probe(request, probes::refreshed))),
    route::<Logs>(Method::POST, "/v1/logs", |request| Box::pin(ship::<Logs>(request))),
    route::<GrpcLogs>(Method::POST, EXPORT, |request| Box::pin(ship::<GrpcLogs>(request))),
    loki("/loki/api/v1/push"),
    loki("/api/prom/push"),
    route::<Push>(Method::GET, "/ready", |request| Box::pin(ready(request))),
    collector("/services/collector"),
    collector("/services/collector/event"),
    collector("/services/collector/event/1.0"),
    collector("/services/collector/raw"),
    collector("/services/collector/raw/1.0"),
    route::<Collector>(Method::POST, "/services/collector/ack", |request| Box::pin(ship::<Acknowledgement>(request))),
    route::<Collector>(Method::GET, "/services/collector/health", |request| Box::pin(probe(request, hec::health))),
    route::<CloudEvents>(Method::POST, "/cloudevents", |request| Box::pin(ship::<CloudEvents>(request))),
    route::<CloudEvents>(Method::OPTIONS, "/cloudevents", |request| Box::pin(probe(request, cloudevents::handshake))),
    // Admitted by its handler: by a key, or by the signature.
    Route {
        method: Method::POST,
        path: "/webhooks/{topic}",
        scope: None,
        keys: KEYS,
        port: None,
        headers: HeaderClass::Data,
        parameters: &[ANY],
        answer: |request| Box::pin(webhook(request)),
        refuse: refuse::<Delivery>,
    },
    segment("/v1/track"),
    segment("/v1/identify"),
    segment("/v1/page"),
    segment("/v1/screen"),
    segment("/v1/group"),
    segment("/v1/alias"),
    segment("/v1/batch"),
    segment("/v1/import"),
];

/// The first page of Elasticsearch, on its own port.
pub(crate) static GREETING: Route = Route {
    method: Method::GET,
    path: "/",
    scope: None,
    keys: KEYS,
    port: Some(Port::Elasticsearch),
    headers: HeaderClass::Data,
    parameters: &[ANY],
    answer: |request| Box::pin(probe(request, probes::greeting)),
    refuse: refuse::<Bulk>,
};

fn there(request: Box<Admitted>) -> Answering {
    Box::pin(probe(request, probes::there))
}

const fn bulk(method: Method, path: &'static str) -> Route {
    elastic(method, path, |request| Box::pin(ship::<Bulk>(request)))
}

const fn document(method: Method, path: &'static str) -> Route {
    elastic(method, path, |request| Box::pin(ship::<Document>(request)))
}

const fn elastic(method: Method, path: &'static str, answer: fn(Box<Admitted>) -> Answering) -> Route {
    route::<Bulk>(method, path, answer)
}

const fn loki(path: &'static str) -> Route {
    route::<Push>(Method::POST, path, |request| Box::pin(ship::<Push>(request)))
}

const fn collector(path: &'static str) -> Route {
    route::<Collector>(Method::POST, path, |request| Box::pin(ship::<Collector>(request)))
}

const fn segment(path: &'static str) -> Route {
    route::<Messages>(Method::POST, path, |request| Box::pin(ship::<Messages>(request)))
}

/// Whether events are taken: Loki's clients ask before they send.
async fn ready(request: Box<Admitted>) -> Answer {
    match request.app.shared.service.refusal() {
        None => probe(request, |_| Reply::of(200, "text/plain; charset=utf-8", "ready\n")).await,
        Some(reason) => Err(ApiError::new(Code::StorageFailed, reason)),
    }
}

/// A route whose errors are worded by this adapter.
const fn route<A: Adapter>(method: Method, path: &'static str, answer: fn(Box<Admitted>) -> Answering) -> Route {
    Route {
        method,
        path,
        scope: Some(Scope::Publish),
        keys: KEYS,
        port: A::PORT,
        headers: HeaderClass::Data,
        parameters: &[ANY],
        answer,
        refuse: refuse::<A>,
    }
}
