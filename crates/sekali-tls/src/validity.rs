//! Whether a certificate is valid by the clock.
//!
//! rustls does not check our own certificate, but its peers will. So it is verified like a peer's
//! certificate, and only errors about time count.

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

use crate::provider;

/// Returns the fault in the dates of `certificate` at `now`, if any.
pub(crate) fn problem(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<String> {
    // The verifier needs a root. It checks the dates first, so any root will do.
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone().into_owned()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    match verifier.verify_server_cert(certificate, &[], &name, &[], now) {
        Err(Error::InvalidCertificate(error)) => of_time(&error),
        _ => None,
    }
}

fn of_time(error: &CertificateError) -> Option<String> {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => Some(format!("expired at {}", date(*not_after))),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(format!("not valid before {}", date(*not_before)))
        }
        CertificateError::Expired => Some("expired".to_owned()),
        CertificateError::NotValidYet => Some("not valid yet".to_owned()),
        _ => None,
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "a time out of range".to_owned(), |time| time.to_string())
}
