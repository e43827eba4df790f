//! Whether and how a client encrypts.

use tokio_rustls::rustls::ClientConfig;

use super::ServerUrl;
use sekali_tls::{ClientTls, TlsError};

/// What to speak TLS with to the server at `url`, if its address says so. Where it does not although certificates were
/// named, they were meant for something: sending in plain text in spite of them would be a trap.
pub fn configuration(url: &ServerUrl, tls: &ClientTls) -> Result<Option<ClientConfig>, TlsError> {
    match (url.is_https(), tls.is_empty()) {
        (true, _) => tls.load().map(Some),
        (false, true) => Ok(None),
        (false, false) => Err(TlsError::NotEncrypted(url.to_string())),
    }
}
