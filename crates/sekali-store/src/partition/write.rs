//! Commits: from batches of events to a frame that is durable.
//!
//! ```text
//! commit ── write_path    one commit is written while the next is planned
//!     └──── planner ─┬─ decide           the outcome of each event
//!                    ├─ index_hits       entries of the index for the events of a commit
//!                    ├─ pending_keys     keys that a commit adds
//!                    ├─ pending_commit   a commit while it is decided, and while it is in flight
//!                    └─ lookup_buffers   memory that look-ups use again
//! preview                 what a commit would decide, for readers
//! ```

mod commit;
mod decide;
mod index_hits;
mod lookup_buffers;
mod pending_commit;
mod pending_keys;
mod planner;
mod preview;
mod write_path;

pub use commit::Commit;
pub(super) use planner::CommitPlanner;
pub(super) use write_path::WritePath;
