//! The certificates in force, which may change while connections are open.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tracing::{error, info};

use sekali_tls::{ServerTls, TlsError};

/// The certificates that a server presents and requires. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    files: Arc<ServerTls>,
    current: Arc<watch::Sender<Arc<ServerConfig>>>,
}

impl Certificates {
    pub(crate) fn load(files: ServerTls) -> Result<Self, TlsError> {
        let current = Arc::new(watch::Sender::new(files.load()?));
        Ok(Self { files: Arc::new(files), current })
    }

    /// Reads the files again, for new connections. If they cannot be used, the certificates in
    /// force stay, and the log says why.
    pub(crate) fn reload(&self) {
        match self.files.load() {
            Ok(config) => {
                self.current.send_replace(config);
                info!("certificates were read again");
            }
            Err(error) => error!(%error, "the certificates stay as they were: the new ones cannot be used"),
        }
    }

    /// The acceptor of a new connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.borrow()).into()
    }
}
