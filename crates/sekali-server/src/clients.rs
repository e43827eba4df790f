//! The clients of a server, and how they share what there is only so much of.
//!
//! A [`Client`] is the API key of a request, or else the address that it came from. However much
//! one client asks for, another finds room: of [`FairShares`] and [`Rooms`] a client may hold as
//! much as is still free, and in the queue of [`Workers`] and in a [`FairQueue`] they take turns.

mod client;
mod fair_queue;
mod rooms;
mod shares;
mod workers;

pub(crate) use client::{Client, network};
pub(crate) use fair_queue::{FairQueue, Portion};
pub(crate) use rooms::{Room, Rooms};
pub(crate) use shares::{FairShares, HeldShare, ShareSizes};
pub(crate) use workers::{Workers, once};
