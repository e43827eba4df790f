//! Commits: from batches of events to a frame that is durable.
//!
//! ```text
//! path ── commit ── front ─┬─ decide   the outcome of each event
//!                          ├─ known    the index's entries for the events of a commit
//!                          ├─ added    the keys that a commit adds
//!                          └─ draft    a commit while it is decided, and while it is in flight
//! ```

mod added;
mod commit;
mod decide;
mod draft;
mod front;
mod known;
mod path;
mod scratch;

pub use commit::Commit;
pub(super) use front::Front;
pub(super) use path::WritePath;
