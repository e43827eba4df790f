//! A route of the API, and a request that was admitted to one.

use std::net::IpAddr;
use std::pin::Pin;

use hyper::http::request::Parts;
use hyper::{Method, Response};
use percent_encoding::percent_decode_str;

use super::answer::{ApiError, Body, Code, HeaderClass};
use super::app::App;
use super::body::RequestBody;
use super::guard::KeyScheme;
use super::parameters::Parameters;
use crate::access::{Grant, Scope};
use crate::clients::Client;
use crate::protocols::Port;
use crate::service::Sender;

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
    /// The ways in which a key may be shown.
    pub(super) keys: &'static [KeyScheme],
    /// The port of its own that also serves it, if that is asked for.
    pub(super) port: Option<Port>,
    /// The headers of its answers.
    pub headers: HeaderClass,
    /// The query parameters that it takes.
    pub parameters: &'static [&'static str],
    /// Answers a request that was admitted.
    pub(super) answer: fn(Box<Admitted>) -> Answering,
    /// Words an error in the route's protocol.
    pub(super) refuse: fn(ApiError) -> Response<Body>,
}

/// The way that a request took to the door.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The network of its client.
    pub network: IpAddr,
    /// The port of a protocol, or the main one.
    pub port: Option<Port>,
    /// Whether it must ask for a name of this server while there are no keys.
    pub checks_host: bool,
}

/// A request that the guard has let in. Boxed: it is large, and each await of its handler would
/// copy it.
pub(super) struct Admitted {
    pub(super) app: App,
    pub(super) grant: Grant,
    /// Where it came from.
    pub(super) network: IpAddr,
    pub(super) parts: Parts,
    pub(super) body: RequestBody,
    pub(super) route: &'static Route,
    /// The text of each `{name}` in the path, still percent-encoded.
    pub(super) segments: Vec<String>,
}

impl Admitted {
    /// The client that it counts for.
    pub(super) fn client(&self) -> Client {
        client_of(&self.grant, self.network)
    }

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

/// The client of a request with this grant, from this network.
pub(super) fn client_of(grant: &Grant, network: IpAddr) -> Client {
    grant.key().map_or(Client::Network(network), |key| Client::Key(key.id.clone()))
}

/// The sender of the events of such a request.
pub(super) fn sender_of(grant: &Grant, network: IpAddr) -> Sender {
    Sender { client: client_of(grant, network), key: grant.key().map(|key| key.name.clone()) }
}

impl Route {
    /// Method and path, as documents write them.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
