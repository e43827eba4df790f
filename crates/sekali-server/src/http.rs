//! The HTTP API. `docs/API.md` describes it, and a test compares the two.
//!
//! Every request enters by one [`door`]: it is matched against the one table of routes, admitted by
//! the [`guard`], and answered by its route. Routes are short: they read the request, call
//! [`Service`](crate::service::Service), and word the answer. Sockets are the business of
//! [`listen`](crate::listen).

mod access_log;
mod answer;
mod app;
mod body;
mod cors;
mod door;
mod download;
mod event_query;
pub(crate) mod fuzzing;
mod guard;
mod numbers;
mod page;
mod parameters;
mod reading;
mod request_id;
mod route;
mod routes;

pub(crate) use answer::HangUp;
pub use answer::{Body, HeaderClass};
pub use body::{BodyWatch, RequestBody};
#[cfg(test)]
pub(crate) use door::described_routes;
pub use door::{Browsers, Door};
pub use guard::Hosts;
pub use route::{Arrival, Route};
pub use routes::{ROUTES, SHIPPER_ROUTES};
pub use sekali_wire::error_code::{Code, Stored};
