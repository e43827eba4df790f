//! Where the id of an event comes from, for every way in. Knows no HTTP and no protocol.
//!
//! One rule, in the order of [`IdKind`]: an id that the client declares; a position that Sekali
//! read itself; one derived from the request; one derived from the content, if that was asked for;
//! none. `docs/IDENTITY.md` describes it.
//!
//! - [`pointers`](Pointers): the places of a record that a request names
//! - [`names`]: ids as text, each kind with its own prefix
//! - [`fineness`](Fineness): whether the times of a request prove that an equal one is a repeat
//! - [`ledger`](Ledger): where they do not, how many equal requests came, and which are in doubt
//! - [`receipts`](Receipts): the answers of a connection that its client may not have read
//! - [`tally`](Tally): events counted by way in and by kind of id

mod fineness;
mod kind;
mod ledger;
mod names;
mod pointers;
mod receipts;
mod tally;

pub(crate) use fineness::Fineness;
pub(crate) use kind::{IdKind, Way};
pub(crate) use ledger::{EqualRequests, Ledger, RequestTurn};
pub(crate) use names::{Peer, RequestDigest, content_id, declared_id, none_id, quarantine_id, request_id};
pub(crate) use pointers::{Pointers, text_of};
pub(crate) use receipts::Receipts;
pub(crate) use tally::Tally;
