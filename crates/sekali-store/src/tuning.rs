//! Settings that nobody should change outside of tests.

use crate::ids::IndexOptions;

/// How a store works inside. The default is right.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Bits of fingerprints that are kept; fewer make keys collide.
    pub fingerprint_mask: u128,
    /// Sizes of the dedup index.
    pub index: IndexOptions,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { fingerprint_mask: u128::MAX, index: IndexOptions::default() }
    }
}
