//! The right to an answer that goes on for long.

use std::sync::Arc;

use sekali_wire::timestamp::Timestamp;

use super::{Access, Key};
use crate::clock::now_ns;

/// The key that a request was admitted with, if one was needed, for as long as it is in force.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    access: Access,
    /// `None` where there were no keys.
    key: Option<Arc<Key>>,
}

impl Lease {
    pub(super) fn new(access: Access, key: Option<Arc<Key>>) -> Self {
        Self { access, key }
    }

    /// Whether the same request would still be admitted: its key is there, unchanged, and works, or
    /// there still are no keys.
    pub(crate) fn holds(&self) -> bool {
        match &self.key {
            None => self.access.is_open(),
            Some(key) => self.access.keys().is_some_and(|keys| keys.has(key, Timestamp(now_ns()))),
        }
    }
}
