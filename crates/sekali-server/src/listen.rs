//! Sockets, connections and the threads that serve them. Each protocol that is spoken on a
//! connection has a file here.

mod accept;
mod activity;
mod certificates;
mod connection;
mod draining;
mod permits;
mod poll_on_wake;
mod threads;
mod watched;

pub(crate) use accept::{Listening, OpenLimits};
pub(crate) use certificates::Certificates;
pub(crate) use connection::{ConnectionContext, Entrance};
pub(crate) use draining::Draining;
pub(crate) use threads::Threads;
