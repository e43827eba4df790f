//! The engine of Sekali.
pub mod disk;
mod error;
mod event;
mod hash;
pub mod ids;
pub mod limits;
pub mod manifest;

pub use error::{Error, Result};
pub use event::*;
pub use hash::*;
