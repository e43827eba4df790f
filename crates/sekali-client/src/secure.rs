//! TLS of a client: whether it is used, and its configuration.

use tokio_rustls::rustls::ClientConfig;

use super::ServerUrl;
use sekali_tls::{ClientTls, TlsError};

/// Returns the TLS configuration for an `https` address, `None` for `http`. Certificates with an
/// `http` address are an error, because their owner expects encryption.
pub fn configuration(url: &ServerUrl, tls: &ClientTls) -> Result<Option<ClientConfig>, TlsError> {
    match (url.is_https(), tls.is_empty()) {
        (true, _) => tls.load().map(Some),
        (false, true) => Ok(None),
        (false, false) => Err(TlsError::NotEncrypted(url.to_string())),
    }
}
