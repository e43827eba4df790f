//! Reading certificates and keys again while the server runs.

use tracing::info;

use crate::access::Access;
use crate::listen::Certificates;

/// Reads again what may have changed. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(super) struct Reload {
    pub(super) access: Access,
    pub(super) certificates: Option<Certificates>,
}

impl Reload {
    /// Reads certificates and keys again, and logs what was read. Blocks for small files.
    pub(super) fn run(&self) {
        self.access.refresh();
        match &self.certificates {
            Some(certificates) => certificates.reload(),
            None if self.access.is_open() => info!("nothing to read again: there are neither certificates nor keys"),
            None => info!("the keys were read again; there are no certificates to read, since TLS is off"),
        }
    }
}
