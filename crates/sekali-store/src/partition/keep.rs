//! Maintenance of a partition: sealing, merging, expiry, and the checks of its files.
//!
//! ```text
//! sealer ─┬─ close    the last log file is closed, full or not
//!         ├─ seal     closed log files become segments
//!         ├─ expire   events leave their segments
//!         ├─ merge    small segments become larger ones
//!         └─ live     the files that these steps change
//! scrub, verify       read everything, and check it
//! ```

mod close;
mod expire;
mod live;
mod merge;
mod retainer;
mod scrub;
mod seal;
mod sealer;
mod verify;
mod wake;

pub use retainer::Retainer;
pub(super) use scrub::MetaFileCopy;
pub use scrub::{Scrubbed, Scrubber};
pub(super) use sealer::Sealer;
pub(super) use verify::Check;
pub use verify::{Finding, Verification};
