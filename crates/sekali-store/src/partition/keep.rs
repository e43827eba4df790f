//! What keeps a partition in order: sealing, merging, expiry, and the checks of what is on disk.

mod scrub;
mod seal;
mod verify;

pub(super) use scrub::MetaPlace;
pub use scrub::{Scrubbed, Scrubber};
pub use seal::Retainer;
pub(super) use seal::Sealer;
pub(super) use verify::verify;
pub use verify::{Finding, Verification};
